"""Small things as the standard library has them, without what they wake.

`enum`, `contextlib` and `functools` need as long as all of what is ours before terraform starts.
Type checkers see the real ones.
"""

from __future__ import annotations

__all__ = ["Enum", "cached_property", "suppress"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import suppress
    from enum import Enum
    from functools import cached_property
else:

    class _Closed(type):
        """Makes the members; for a `class X(str, Enum)` only."""

        def __new__(meta, name, bases, namespace):
            cls = super().__new__(meta, name, bases, namespace)
            texts = {n: v for n, v in namespace.items() if isinstance(v, str) and n[0] != "_"}
            cls._known = {}
            for member, value in texts.items():
                made = str.__new__(cls, value)
                made.name, made.value = member, value
                cls._known[value] = made
                type.__setattr__(cls, member, made)
            return cls

        def __call__(cls, value):
            try:
                return cls._known[value]
            except KeyError:
                raise ValueError(f"{value!r} is not a valid {cls.__name__}") from None

        def __iter__(cls):
            return iter(cls._known.values())

    class Enum(metaclass=_Closed):
        """A closed set of words, each of which is itself."""

        def __str__(self):
            return f"{self.__class__.__name__}.{self.name}"

        def __repr__(self):
            return f"<{self}: {self.value!r}>"

    class cached_property:
        """A property that is found once."""

        def __init__(self, find):
            self.find, self.__doc__ = find, find.__doc__

        def __set_name__(self, owner, name):
            self.name = name

        def __get__(self, instance, owner=None):
            if instance is None:
                return self
            found = instance.__dict__[self.name] = self.find(instance)
            return found

    class suppress:
        """Goes on where one of these errors ends what is inside."""

        def __init__(self, *errors):
            self.errors = errors

        def __enter__(self):
            return None

        def __exit__(self, kind, error, trace):
            return kind is not None and issubclass(kind, self.errors)
