"""Corner cases of HCL's syntax."""

from __future__ import annotations

# Text, and whether terraform accepts it; what it refuses must not be read as something else.
EDGES = [
    ('x = "${"}"}"\n', True),
    ('x = "$${"\n', True),
    ('x = "$$${"\n', True),
    ('x = "%%{"\n', True),
    ('x = "a${\n1\n}"\n', True),
    ('x = "\\\\"\n', True),
    ("x = <<E\n}\n E  \n", True),
    ("x = <<É\n}\nÉ\n", True),
    ("x = <<E\nE ${1}\n${\nE\n}\nE\n", True),
    ("x = <<-E\n\\E\n$${\nE\n", True),
    ("x = f(<<E\n)\nE\n)\n", True),
    ("x = 1\r\ny = <<E\r\n}\r\nE\r\na {\r\n}\r\n", True),
    ("x = /* \n } */ 1\n", True),
    ('a "b" /* { */ "c" {\n}\n', True),
    ("a-b c {}\n", True),
    ("\ufeffx = 1\n", True),
    ("x = <<E\n}\nE", False),
    ('x = "a\n"\n', False),
    ("a {\n}\n/* x", False),
    ("a\n{\n}\n", False),
    ('"a" {}\n', False),
    ('x = "${a"\n', False),
    ("x = (1]\n", False),
    ("a {\n", False),
    ("}\n", False),
]
