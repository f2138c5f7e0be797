"""Random HCL with everything that can hide a brace, as text that HCL and python-hcl2 both read."""

from __future__ import annotations

from random import Random

TYPES = {"alpha": 0, "beta": 1, "gamma": 2}
SPLINTERS = (*'"{}$#[]\\)\n= ', "%{", "<<EOT\n", "EOT\n", "/*", "*/", "$${", "\r\n", "//")
WORDS = ("x", "}", "{", "#", "//", "/*", "EOT", "beta", '\\"', "\\\\", "\\n", "é", "(", "]", " ")


def document(random: Random) -> str:
    """Some attributes and blocks, between comments and blank lines."""
    return "".join(item(random, 0, number) for number in range(random.randint(1, 5)))


def item(random: Random, depth: int, number: int) -> str:
    """A comment, an attribute or a block, with its line end."""
    pick = random.random()
    if pick < 0.2:
        words = "".join(random.choices(("a", "{", "}", '"', "<<EOT", "*", "${"), k=4))
        return random.choice((f"# {words}\n", f"// {words}\n", f"/* {words} */\n", "\n", "\t\n"))
    if pick < 0.6 or depth > 2:
        comment = random.choice(("", "", " # } {", ' // "', "\t"))
        expression = value(random, 0)
        return f"name{number} = {expression}{'' if '<<' in expression else comment}\n"
    return block(random, depth, number)


def block(random: Random, depth: int, number: int) -> str:
    """A block with as many labels as its type has."""
    kind = random.choice(list(TYPES))
    labels = [
        random.choice((f'"l{number}"', f"l{number}", f'"-{number}"')) for _ in range(TYPES[kind])
    ]
    inner = "".join(item(random, depth + 1, count) for count in range(random.randint(0, 4)))
    return f"{' '.join([kind, *labels])} {{\n{inner}}}\n"


def value(random: Random, depth: int) -> str:
    """An expression; those that span lines are in brackets or heredocs."""
    simple = [string, string, lambda *_: "var.x", lambda *_: "7", lambda *_: "true", plain]
    nested = [heredoc, tuple_, object_, call, conditional]
    return random.choice(simple + (nested if depth < 3 else []))(random, depth)


def plain(random: Random, depth: int) -> str:
    return f'"~> {random.randint(0, 9)}.{depth}"'


def string(random: Random, depth: int) -> str:
    """A quoted template with parts that could be mistaken for its end."""
    parts = random.choices(WORDS, k=random.randint(0, 4))
    if random.random() < 0.4 and depth < 3:
        parts.insert(random.randint(0, len(parts)), f"${{{inline(random, depth + 1)}}}")
    if random.random() < 0.2:
        parts.append(random.choice(("$${a}", "%%{b}", "$", "%", "$$")) + " ")
    return '"' + "".join(parts) + '"'


def inline(random: Random, depth: int) -> str:
    """An expression on one line."""
    return random.choice((string, call, conditional, lambda *_: 'm["}"]', lambda *_: "var.x"))(
        random, max(depth, 2)
    )


def heredoc(random: Random, depth: int) -> str:
    """A heredoc, for an attribute's whole value only, as python-hcl2 needs its line end; elsewhere
    a string."""
    if depth:
        return string(random, depth)
    lines = random.choices(('"', "{", "}", "  EOTS", "a ${var.x} b", "/*", "#", "\\", ""), k=3)
    return random.choice(("<<EOT", "<<-EOT")) + "\n" + "\n".join(lines) + "\n  EOT"


def tuple_(random: Random, depth: int) -> str:
    items = [value(random, depth + 1) for _ in range(random.randint(0, 3))]
    return "[" + random.choice((", ", ",\n", ", # ]\n")).join(items) + "]"


def object_(random: Random, depth: int) -> str:
    items = [f"k{number} = {value(random, depth + 1)}" for number in range(random.randint(0, 3))]
    return "{\n" + random.choice(("\n", ",\n", " # }\n")).join(items) + "\n}"


def call(random: Random, depth: int) -> str:
    return f"f({value(random, max(depth + 1, 3))}, {value(random, 3)})"


def conditional(random: Random, depth: int) -> str:
    return f"var.x ? {value(random, max(depth + 1, 3))} : {plain(random, depth)}"


def damaged(random: Random, text: str) -> str:
    """The text with up to two places where something is removed, inserted or repeated."""
    for _ in range(random.randint(0, 2)):
        at, other = random.randrange(len(text) + 1), random.randrange(len(text) + 1)
        pick = random.random()
        if pick < 0.4:
            text = text[:at] + text[at + random.randint(1, 3) :]
        elif pick < 0.8:
            text = text[:at] + random.choice(SPLINTERS) + text[at:]
        else:
            text = text[:at] + text[min(at, other) : max(at, other)] + text[at:]
    return text
