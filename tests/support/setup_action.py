"""The wrapper that GitHub's setup actions put in the binary's place, in all that can be observed.

Like the original it runs NAME-bin out of the folder that the action's variable names, passes both
streams on, and appends them and the exit code to the outputs of the step; 0 and 2 are no failure.

https://github.com/hashicorp/setup-terraform/blob/main/wrapper/terraform.js
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

WRAPPER = """\
#!/usr/bin/env node
const {{ spawnSync }} = require('child_process');
const {{ appendFileSync }} = require('fs');
const binary = [process.env.{variable}, '{name}-bin'].join('/');
const done = spawnSync(binary, process.argv.slice(2), {{ encoding: 'utf8', maxBuffer: 1e9 }});
process.stdout.write(done.stdout);
process.stderr.write(done.stderr);
const said = {{ stdout: done.stdout, stderr: done.stderr, exitcode: String(done.status) }};
for (const [name, value] of Object.entries(said)) {{
  const text = `${{name}}<<ghadelimiter_1\\n${{value}}\\nghadelimiter_1\\n`;
  appendFileSync(process.env.GITHUB_OUTPUT || '/dev/null', text);
}}
if (done.status !== 0 && done.status !== 2) {{
  process.stdout.write(`::error::Terraform exited with code ${{done.status}}.\\n`);
  process.exitCode = 1;
}}
"""
VARIABLES = {"terraform": "TERRAFORM_CLI_PATH", "tofu": "TOFU_CLI_PATH"}
_OUTPUT = re.compile(r"^(\w+)<<(\S+)\n(.*?)\n\2$", re.MULTILINE | re.DOTALL)


def install_wrapper(folder: Path, engine: Path) -> dict[str, str]:
    """Puts the engine and its wrapper into `folder`; returns the variables that the action sets
    besides PATH."""
    if not shutil.which("node"):
        pytest.skip("the wrapper needs node")
    folder.mkdir()
    (folder / f"{engine.name}-bin").symlink_to(engine)
    wrapper = folder / engine.name
    wrapper.write_text(WRAPPER.format(variable=VARIABLES[engine.name], name=engine.name))
    wrapper.chmod(0o755)
    return {VARIABLES[engine.name]: str(folder)}


def parse_outputs(text: str) -> list[tuple[str, str]]:
    """(name, value) of each output in the text of the file that GITHUB_OUTPUT names, in order."""
    return [(found[1], found[3]) for found in _OUTPUT.finditer(text)]
