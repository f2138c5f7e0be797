"""`tfevents init` writes a settings file that tfevents can read, and does not overwrite a file
unasked."""

from __future__ import annotations

import subprocess

from support.command import Tfevents
from support.terminal import Terminal

from tfevents.settings.file_format import parse_settings_file

BACKEND = 'terraform {\n  backend "s3" {}\n}\n'
FLAGS = ("--org", "default", "--project", "infra")


def read(tfevents: Tfevents) -> tuple[dict[str, str], dict[str, str]]:
    """The fields of the written file, and the workspace of each directory."""
    text = (tfevents.cwd / ".tfevents.hcl").read_text()
    document = parse_settings_file(text, ".tfevents.hcl")
    fields = {name: field.text for name, field in document.fields.items()}
    return fields, {one.fields["directory"].text: one.label for one in document.workspaces}


def test_one_workspace(tfevents: Tfevents) -> None:
    """`--workspace` writes organization, project and workspace, and the output says how to set the
    API key."""
    told = tfevents.ok("init", *FLAGS, "--workspace", "prod")
    assert read(tfevents) == ({"org": "default", "project": "infra", "workspace": "prod"}, {})
    assert "export TFEVENTS_API_KEY=" in told


def test_what_it_says_is_whose_the_runs_are(tfevents: Tfevents) -> None:
    """A workspace that `init --map` gives to a directory deep in a monorepo is the one that
    `doctor` finds there."""
    place = tfevents.cwd / "live" / "eu"
    place.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", tfevents.cwd], check=True)
    tfevents.ok("init", *FLAGS, "--map", "live/eu=eu_prod", "--map", "live/us=us_prod")
    tfevents.cwd = place
    found = tfevents.run("doctor", "--json").stdout.decode()
    assert '"value": "eu_prod"' in found


def test_text_is_never_a_template(tfevents: Tfevents) -> None:
    """Names with quotes and HCL template markers are written such that they are read back
    unchanged."""
    name = 'a"b\\${x}%{y}é'
    tfevents.ok("init", "--org", name, "--project", "p", "--map", f"{name}=w")
    assert read(tfevents) == ({"org": name, "project": "p"}, {name: "w"})


def test_a_file_that_is_there_stays(tfevents: Tfevents) -> None:
    """`init` does not overwrite an existing file without `--force`."""
    path = tfevents.cwd / ".tfevents.hcl"
    path.write_text("# mine\n")
    line = tfevents.fails(1, "init", *FLAGS, "--workspace", "prod")
    assert "--force" in line
    assert path.read_text() == "# mine\n"
    tfevents.ok("init", *FLAGS, "--workspace", "prod", "--force")
    assert read(tfevents)[0]["workspace"] == "prod"


def test_nobody_to_ask(tfevents: Tfevents) -> None:
    """Without a terminal, a missing option is named and nothing is written."""
    assert "--project" in tfevents.fails(2, "init", "--org", "default")
    assert "--workspace" in tfevents.fails(2, "init", *FLAGS)
    assert not (tfevents.cwd / ".tfevents.hcl").exists()


def test_a_person_is_asked(tfevents: Tfevents) -> None:
    """On a terminal, `init` asks for the workspace of each directory with a backend, a state or a
    Terragrunt unit, not for modules or caches."""
    for name, files in {
        "live/net": {"main.tf": BACKEND},
        "live/data": {"main.tf": "", "terraform.tfstate": "{}"},
        "live/unit": {"terragrunt.hcl": ""},
        "modules/vpc": {"main.tf": 'variable "a" {}\n'},
        ".terraform/modules/x": {"main.tf": BACKEND},
    }.items():
        place = tfevents.cwd / name
        place.mkdir(parents=True)
        for file, text in files.items():
            (place / file).write_text(text)
    with Terminal([tfevents.program, "init"], env=tfevents.env, cwd=tfevents.cwd) as terminal:
        terminal.expect("Organization [default]: ")
        terminal.send("\n")
        terminal.expect("Project: ")
        terminal.send(" \n")
        terminal.expect("Project: ")
        terminal.send("infra\n")
        terminal.expect("Workspace of live/data [live_data]: ")
        terminal.send("\n")
        terminal.expect("Workspace of live/net [live_net]: ")
        terminal.send("network\n")
        terminal.expect("Workspace of live/unit [live_unit]: ")
        terminal.send("-\n")
        assert terminal.wait() == 0
    fields = {"org": "default", "project": "infra"}
    assert read(tfevents) == (fields, {"live/data": "live_data", "live/net": "network"})


def test_a_name_that_is_no_text(tfevents: Tfevents) -> None:
    """A name that is not UTF-8 is an error of one line, and nothing is written."""
    command = [bytes(tfevents.program), b"init", b"--project", b"p", b"--workspace", b"w"]
    done = subprocess.run(
        [*command, b"--org", b"\xff"],
        env=tfevents.env,
        cwd=tfevents.cwd,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert b"is no UTF-8" in done.stderr
    assert list(tfevents.cwd.iterdir()) == []
