"""Dataclasses as the standard library's, of which Python needs a millisecond for each one.

Fifty of them, and the modules that they wake (inspect, ast, dis, tokenize), are half of what we
would add to a small plan. Type checkers see the real ones.
"""

from __future__ import annotations

from _operator import attrgetter  # `operator` is the same, and more

__all__ = ["asdict", "dataclass", "field", "replace"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import asdict, dataclass, field, replace
else:
    FEW = 4
    MISSING = object()

    class Field:
        """What a member is if it is not given, and whether it is shown."""

        def __init__(self, *, default_factory=None, repr=True):
            self.default_factory, self.repr = default_factory, repr

    field = Field

    def dataclass(cls=None, *, frozen=False, slots=False):
        """Members by annotation: `__init__`, `__eq__`, `__repr__`, and `__hash__` if frozen."""
        if cls is None:
            return lambda cls: _made(cls, frozen, slots)
        return _made(cls, frozen, slots)

    def _made(cls, frozen, slots):
        names = tuple(cls.__annotations__)
        given = {name: cls.__dict__[name] for name in names if name in cls.__dict__}
        for name, default in given.items():
            if slots or isinstance(default, Field):
                delattr(cls, name)
        if slots:
            kept = {k: v for k, v in cls.__dict__.items() if k not in ("__dict__", "__weakref__")}
            kept |= {"__slots__": names, "__qualname__": cls.__qualname__}
            cls = type(cls)(cls.__name__, cls.__bases__, kept)
        cls.__match_args__ = cls._members = names
        cls.__init__ = _later(cls, names, given, frozen)
        _compare(cls, names, frozen)
        shown = [n for n in names if not isinstance(given.get(n), Field) or given[n].repr]
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = lambda self: _shown(self, shown)
        return cls

    def _later(cls, names, given, frozen):
        """To compile takes longer than a few records take without: most classes have no more."""
        made = 0

        def __init__(self, *values, **named):
            nonlocal made
            made += 1
            if made > FEW:
                cls.__init__ = _init(cls, names, given, frozen)
                return self.__init__(*values, **named)
            found = dict(zip(names, values, strict=False))
            if len(values) > len(names) or not found.keys().isdisjoint(named):
                raise TypeError(f"{cls.__qualname__}() got too many values")
            for name in names[len(values) :]:
                found[name] = named.pop(name) if name in named else _default(cls, name, given)
            if named:
                raise TypeError(f"{cls.__qualname__}() got an unexpected {next(iter(named))!r}")
            for name, value in found.items():
                object.__setattr__(self, name, value)

        return __init__

    def _default(cls, name, given):
        default = given.get(name, MISSING)
        if isinstance(default, Field):
            default = default.default_factory() if default.default_factory else MISSING
        if default is MISSING:
            raise TypeError(f"{cls.__qualname__}() is missing {name!r}")
        return default

    def _init(cls, names, given, frozen):
        """The one function that is worth compiling: it is called for every resource of a plan."""
        known = {"__set": object.__setattr__}
        words, lines = [], []
        for name in names:
            known[f"_{name}"] = default = given.get(name)
            make = isinstance(default, Field) and default.default_factory
            optional = make if isinstance(default, Field) else name in given
            words.append(f"{name}=_{name}" if optional else name)
            value = f"_{name}.default_factory() if {name} is _{name} else {name}" if make else name
            lines.append(
                f" __set(self, {name!r}, {value})" if frozen else f" self.{name} = {value}"
            )
        text = f"def __init__(self, {', '.join(words)}):\n" + "\n".join(lines)
        exec(text, known)  # noqa: S102  # names of our own
        init = known["__init__"]
        init.__qualname__ = f"{cls.__qualname__}.__init__"
        return init

    def _compare(cls, names, frozen):
        members = attrgetter(*names) if len(names) > 1 else lambda self: (getattr(self, names[0]),)

        def __eq__(self, other):
            same = other.__class__ is self.__class__
            return members(self) == members(other) if same else NotImplemented

        def __setattr__(self, name, value=None):
            raise AttributeError(f"{cls.__name__}.{name} is fixed")

        cls.__eq__ = __eq__
        cls.__hash__ = (lambda self: hash(members(self))) if frozen else None
        if frozen:
            cls.__setattr__ = cls.__delattr__ = __setattr__

    def _shown(self, names):
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({told})"

    def replace(record, **changes):
        """The same, but for some members."""
        return record.__class__(**asdict(record) | changes)

    def asdict(record):
        """Name → member, of one record; members that are records stay what they are."""
        return {name: getattr(record, name) for name in record._members}
