"""Values that are read from HCL, compared with those that terraform reads from the same text."""

from __future__ import annotations

import json
from pathlib import Path

from support import engines
from support.hcl import oracle

from tfevents.readers.hcl.expressions import parse_hcl

OUTPUTS = """\
output "flush" {
  value = <<-EOT
\t\tx

\t  y "quoted" \\\\ back
   \t
\t\tEOT
}
output "indented" {
  value = <<EOT
  a
 "b"
  EOT
}
output "empty" {
  value = <<E
E
}
output "escapes" {
  value = "a\\tb \\"c\\" \\u00e9"
}
output "windows" {
  value = <<E\r
a\r
\r
E\r
}
"""


def test_heredocs_and_escapes_are_terraforms(tmp_path: Path) -> None:
    """Values of outputs are the same as those that terraform itself prints."""
    env = engines.clean_env(tmp_path / "home")
    terraform = engines.terraform()
    directory = tmp_path / "root"
    directory.mkdir()
    (directory / "main.tf").write_bytes(OUTPUTS.encode())
    oracle.run(terraform, directory, env, "apply", "-auto-approve", "-no-color")
    printed = json.loads(oracle.run(terraform, directory, env, "output", "-json"))
    blocks = parse_hcl(OUTPUTS, "main.tf")["output"]
    ours = {name: body["value"] for block in blocks for name, body in block.items()}
    assert ours == {name: output["value"] for name, output in printed.items()}
