"""The inventory of a directory, compared with `terraform providers`, `terraform modules` and
OpenTofu."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import pytest
from support import engines
from support.exhaustive import exhaustive_except
from support.hcl import estate, oracle

import tfevents
from tfevents.readers.hcl.files import MAX_BYTES
from tfevents.readers.hcl.inventory import (
    Inventory,
    ModuleCall,
    Provider,
    find_backend,
    read_inventory,
)
from tfevents.readers.hcl.root_modules import find_root_modules

ROOT = """\
terraform {
  required_version = ">= 1.0"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0, >= 5.1.0" }
    x = {
      source                = "Acme/X" # a local name that is not the provider's
      configuration_aliases = [x.other]
    }
    old = "1.2.0"
  }
}
provider "google" {}
resource "terraform_data" "a" {}
resource "random_id" "b" {
  provider = x.other
}
data "http" "c" {}
ephemeral "random_password" "p" {}
check "health" {
  data "tls_certificate" "d" {}
  assert {
    condition     = data.tls_certificate.d.id != ""
    error_message = "}"
  }
}
import {
  to = azurerm_subnet.y
  id = "1"
}
import {
  to = random_id.b
  id = "2"
}
module "child" {
  source = "./modules/child"
  providers = { x = x.other }
}
"""
BACKEND = 'terraform { backend "local" {} }'
PYTHON = {"PYTHONPATH": str(Path(tfevents.__file__).parents[1])}
CHILD = """\
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.2.0" }
    x   = { source = "acme/x" }
  }
}
module "leaf" {
  source = "../leaf"
}
"""
LOCK = """\
# This file is maintained automatically by "terraform init".
provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "~> 5.0, >= 5.1.0"
  hashes = [
    "h1:Ijt7pOlB7Tr7maGQIqtsLFbl7pSMIj06TVdkoSBcYOw=",
    "zh:054b8dd49f0549c9a7cc27d159e45327b7b65cf404da5e5a20da154b90b8a644",
  ]
}
"""


def write(directory: Path, files: dict[str, str | bytes]) -> Path:
    """Writes these files; returns the directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return directory


def declared(inventory: Inventory) -> dict[str, set[str]]:
    """Version constraints by provider source, in the form of `oracle.providers`."""
    return {
        provider.source: set((provider.constraint or "").split(", ")) - {""}
        for provider in inventory.providers
    }


def cpu_seconds() -> float:
    """The CPU time of all ended child processes; unlike wall time it does not depend on other
    processes."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def called(inventory: Inventory) -> list[tuple[str, str | None]]:
    """Name and source of each module call, in the form of `oracle.modules`."""
    return sorted((call.name.rpartition(".")[2], call.source) for call in inventory.modules)


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment that has nothing of this machine."""
    return engines.clean_env(tmp_path / "home")


def test_providers_are_those_that_terraform_shows(tmp_path: Path, env: dict[str, str]) -> None:
    """The inventory has the providers that are required, configured or used in any way, in all
    modules."""
    files = {"main.tf": ROOT, "modules/child/main.tf": CHILD, "modules/leaf/a.tf": ""}
    root = write(
        tmp_path / "root", {**files, "modules/leaf/b.tf": 'data "null_data_source" "n" {}'}
    )
    terraform = engines.terraform()
    oracle.run(terraform, root, env, "get")
    inventory = read_inventory(str(root))
    assert inventory.problems == ()
    assert declared(inventory) == oracle.providers(terraform, root, env)
    assert called(inventory) == oracle.modules(terraform, root, env)


def test_the_inventory_as_json(tmp_path: Path) -> None:
    """The inventory's JSON has the four keys in their order, and null for unknown values."""
    files = {"main.tf": ROOT, "modules/child/main.tf": CHILD, "modules/leaf/a.tf": ""}
    root = write(tmp_path, {**files, "b.tf": BACKEND, ".terraform.lock.hcl": LOCK})
    found = read_inventory(str(root)).as_json()
    assert found["required_version"] == ">= 1.0"
    assert found["backend"] == "local"
    assert found["modules"] == [
        {
            "name": "child",
            "source": "./modules/child",
            "version": None,
            "resolved_version": None,
            "file": "main.tf",
        },
        {
            "name": "child.leaf",
            "source": "../leaf",
            "version": None,
            "resolved_version": None,
            "file": "modules/child/main.tf",
        },
    ]
    assert found["providers"][1] == {
        "source": "registry.terraform.io/hashicorp/aws",
        "constraint": "~> 5.0, >= 5.1.0, >= 5.2.0",
        "resolved_version": "5.100.0",
    }
    assert list(found) == ["required_version", "modules", "providers", "backend"]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("seed", exhaustive_except(range(12), 0, 1))
def test_random_estates_are_as_terraform_reads_them(
    seed: int, tmp_path: Path, env: dict[str, str]
) -> None:
    """Random modules, overrides and JSON give terraform's providers, constraints and modules."""
    root = write(tmp_path / "root", estate.files(Random(seed)))
    terraform = engines.terraform()
    oracle.run(terraform, root, env, "get")
    inventory = read_inventory(str(root))
    assert inventory.problems == ()
    assert declared(inventory) == oracle.providers(terraform, root, env)
    assert called(inventory) == oracle.modules(terraform, root, env)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(4))
def test_random_estates_are_as_opentofu_reads_them(
    seed: int, tmp_path: Path, env: dict[str, str]
) -> None:
    """Random modules give OpenTofu's providers and constraints, whose default registry is another
    one."""
    root = write(tmp_path / "root", estate.files(Random(100 + seed), old=True))
    tofu = engines.opentofu_1_6_2()
    oracle.run(tofu, root, env, "get")
    assert declared(read_inventory(str(root), opentofu=True)) == oracle.providers(tofu, root, env)


def test_a_new_opentofu_takes_the_same_tofu_files(tmp_path: Path, env: dict[str, str]) -> None:
    """The inventory hides the same .tf files behind .tofu files as the tofu on PATH."""
    root = write(tmp_path / "root", TOFU_FILES)
    tofu = engines.tofu()
    assert declared(read_inventory(str(root), opentofu=True)) == oracle.providers(tofu, root, env)


TOFU_FILES: dict[str, str | bytes] = {
    "a.tf": 'provider "hidden" {}',
    "a.tofu": 'provider "shown" {}',
    "b.tf.json": '{"provider": {"hiddenjson": {}}}',
    "b.tofu.json": '{"provider": {"shownjson": {}}}',
    "c.tf": 'provider "plain" {}',
    "c.tofu.json": '{"provider": {"other": {}}}',
}


def test_a_tofu_file_hides_the_tf_file_of_its_name(tmp_path: Path) -> None:
    """For OpenTofu only, NAME.tofu hides NAME.tf, and NAME.tofu.json hides NAME.tf.json."""
    root = str(write(tmp_path, TOFU_FILES))
    tofu = {source.rpartition("/")[2] for source in declared(read_inventory(root, opentofu=True))}
    assert tofu == {"shown", "shownjson", "plain", "other"}
    terraform = {source.rpartition("/")[2] for source in declared(read_inventory(root))}
    assert terraform == {"hidden", "hiddenjson", "plain"}


def test_what_init_installed_is_followed(tmp_path: Path) -> None:
    """A module from a registry that `init` installed has its resolved version, and its own modules
    and providers are listed."""
    manifest = {
        "Modules": [
            {"Key": "", "Source": "", "Dir": "."},
            {
                "Key": "vpc",
                "Source": "registry.terraform.io/acme/vpc/aws",
                "Version": "5.1.2",
                "Dir": "elsewhere/modules/vpc",
            },
            {"Key": "stale", "Source": "registry.terraform.io/acme/old/aws", "Dir": "old"},
        ]
    }
    files: dict[str, str | bytes] = {
        "main.tf": """
            module "vpc" {
              source  = "acme/vpc/aws"
              version = "~> 5.0"
            }
            module "stale" { source = "acme/new/aws" }
            module "git" { source = "git::https://example.com/x.git?ref=v1" }
        """,
        "elsewhere/modules/modules.json": json.dumps(manifest),
        "elsewhere/modules/vpc/main.tf": 'module "in" { source = "./in" }',
        "elsewhere/modules/vpc/in/main.tf": 'data "inner_x" "y" {}',
    }
    inventory = read_inventory(str(write(tmp_path, files)), data_dir="elsewhere")
    assert inventory.modules == (
        ModuleCall("git", "git::https://example.com/x.git?ref=v1", None, None, "main.tf"),
        ModuleCall("stale", "acme/new/aws", None, None, "main.tf"),
        ModuleCall("vpc", "acme/vpc/aws", "~> 5.0", "5.1.2", "main.tf"),
        ModuleCall("vpc.in", "./in", None, None, "elsewhere/modules/vpc/main.tf"),
    )
    assert inventory.providers == (Provider("registry.terraform.io/hashicorp/inner", None, None),)


def test_a_broken_file_costs_its_own_facts(tmp_path: Path) -> None:
    """Files that can't be read are one problem each, and the facts of all other files are found."""
    files: dict[str, str | bytes] = {
        "good.tf": 'resource "aws_x" "y" {}\nmodule "m" { source = "./m" }\n',
        "broken.tf": 'resource "null_x" "y" {\n  a = "\n}\n',
        "broken.tf.json": "{",
        "latin.tf": b'# caf\xe9\nprovider "google" { a = "\xff" }\n',
        "zero.tf": b"\x00" * 10,
        "m/broken.tf": "terraform {\n  required_providers { a = { source = 1 } }\n}\n",
        ".terraform.lock.hcl": 'provider "x" {',
        ".terraform/modules/modules.json": '{"Modules": [{}]}',
        ".hidden.tf": "}",
        "emacs.tf~": "}",
        "#emacs.tf": "}",
        "notes.txt": "}",
    }
    inventory = read_inventory(str(write(tmp_path, files)))
    sources = [provider.source.rpartition("/")[2] for provider in inventory.providers]
    assert sources == ["aws", "google"]
    assert [problem.partition(":")[0] for problem in inventory.problems] == [
        "modules.json",
        ".terraform.lock.hcl, line 1",
        "#emacs.tf, line 1",
        "broken.tf, line 2",
        "broken.tf.json",
        "zero.tf, line 1",
        "m/broken.tf",
    ]
    assert all("\n" not in problem for problem in inventory.problems)


@pytest.mark.parametrize("wrong", ["Key", "Source", "Version", "Dir"])
@pytest.mark.parametrize("value", [5, ["a"], {"a": 1}])
def test_a_broken_record_of_a_module_is_a_problem(wrong: str, value: Any, tmp_path: Path) -> None:
    """A record in modules.json whose members are no texts makes the file a problem."""
    record: dict[str, Any] = {"Key": "m", "Source": "x/y/z", "Version": "1.0", "Dir": "m"}
    record[wrong] = value
    manifest = json.dumps({"Modules": [record]})
    call = 'module "m" { source = "x/y/z" }'
    root = write(tmp_path, {"main.tf": call, ".terraform/modules/modules.json": manifest})
    (problem,) = read_inventory(str(root)).problems
    assert problem.startswith("modules.json: ")


@pytest.mark.parametrize(
    ("source", "place"), [("./\0", "m"), ("x/y/z", "m\0"), ("x/y/z", "\ud800")]
)
def test_an_impossible_path_is_a_problem(source: str, place: str, tmp_path: Path) -> None:
    """A module whose source or directory can't be a path is a problem, and all else is found."""
    record = {"Key": "m", "Source": source, "Dir": place}
    files: dict[str, str | bytes] = {
        "main.tf.json": json.dumps({"module": {"m": {"source": source}}, "provider": {"aws": {}}}),
        ".terraform/modules/modules.json": json.dumps({"Modules": [record]}),
    }
    inventory = read_inventory(str(write(tmp_path, files)))
    assert [call.name for call in inventory.modules] == ["m"]
    assert len(inventory.problems) == 1
    assert len(inventory.providers) == 1


def test_no_file_can_hold_it_up(tmp_path: Path) -> None:
    """FIFOs, loops of links, broken links and files of 100 MB are not read, and each is a problem;
    a directory named like a file is ignored."""
    root = write(tmp_path, {"main.tf": 'provider "aws" {}'})
    os.mkfifo(root / "fifo.tf")
    (root / "loop.tf").symlink_to("loop.tf")
    (root / "gone.tf").symlink_to("nowhere")
    (root / "directory.tf").mkdir()
    with (root / "large.tf").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    start = perf_counter()
    inventory = read_inventory(str(root))
    assert perf_counter() - start < 2
    assert [provider.source for provider in inventory.providers] == [
        "registry.terraform.io/hashicorp/aws"
    ]
    assert [problem.partition(":")[0] for problem in inventory.problems] == [
        "fifo.tf",
        "gone.tf",
        "large.tf",
        "loop.tf",
    ]


def test_circles_of_modules_end(tmp_path: Path) -> None:
    """A module that calls itself, also through a link, is read once and is a problem."""
    files: dict[str, str | bytes] = {
        "main.tf": 'module "a" { source = "./a" }\nmodule "self" { source = "./." }',
        "a/main.tf": 'module "b" { source = "./link" }\ndata "aws_x" "y" {}',
    }
    root = write(tmp_path, files)
    (root / "a" / "link").symlink_to("..")
    inventory = read_inventory(str(root))
    assert [call.name for call in inventory.modules] == ["a", "a.b", "self"]
    assert sorted(inventory.problems) == [
        "module a.b: it calls itself: end the circle",
        "module self: it calls itself: end the circle",
    ]


def test_a_tree_that_doubles_at_every_level_is_bounded(tmp_path: Path) -> None:
    """The number of module calls is limited: 30 directories that each call the next one twice would
    be a thousand million calls."""
    calls = 'module "a" { source = "../%d" }\nmodule "b" { source = "../%d" }\n'
    files: dict[str, str | bytes] = {
        f"{number}/main.tf": calls % (number + 1, number + 1) for number in range(30)
    }
    start = perf_counter()
    inventory = read_inventory(str(write(tmp_path, files) / "0"))
    assert len(inventory.modules) < 10_100
    assert any("the rest was not read" in problem for problem in inventory.problems)
    assert perf_counter() - start < 20


def test_resolved_versions_are_terraforms(tmp_path: Path, env: dict[str, str]) -> None:
    """The lock file's providers are the selections that `terraform version` reports."""
    other = LOCK.replace("aws", "google").replace("5.100.0", "6.1.0-beta1")
    files = {".terraform.lock.hcl": LOCK + other, "main.tf": 'data "aws_x" "y" {}'}
    root = write(tmp_path / "root", {**files, "g.tf": 'provider "google" {}'})
    version = oracle.run(engines.terraform(), root, env, "version", "-json")
    resolved = {
        found.source: found.resolved_version for found in read_inventory(str(root)).providers
    }
    assert resolved == json.loads(version)["provider_selections"]


VALUES = [
    ('"~> 1.0"', "~> 1.0"),
    ("null", None),
    ("7", None),
    ("var.version", "${var.version}"),
    ('"${local.major}.0"', "${local.major}.0"),
    ("<<EOT\n1.0\nEOT", "1.0\n"),
    ('"1.\\u0030"', "1.0"),
]


@pytest.mark.parametrize(("text", "version"), VALUES)
def test_a_version_is_text_as_written(text: str, version: str | None, tmp_path: Path) -> None:
    """A module's version is its text as written, also for OpenTofu's expressions; it is null for a
    value that is no text."""
    call = f'module "m" {{\n  source = "acme/m/aws"\n  version = {text}\n}}\n'
    assert read_inventory(str(write(tmp_path, {"main.tf": call}))).modules[0].version == version


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '"$${"',
            "main.tf, line 2: 'version' has no value that can be read: correct the HCL there",
        ),
        (f"f({'1' * 20_000})", "main.tf, line 2: 'version' is too long to be read: correct"),
        ("1)", "main.tf, line 2: unexpected ')': correct"),
    ],
    ids=range(3),
)
def test_a_value_that_cannot_be_read_is_a_problem(text: str, message: str, tmp_path: Path) -> None:
    """A value that can't be read is a problem that names its file and line."""
    call = f'module "m" {{\n  version = {text}\n}}\n'
    (problem,) = read_inventory(str(write(tmp_path, {"main.tf": call}))).problems
    assert problem.startswith(message)


@pytest.mark.parametrize("name", ["nowhere", "file"])
def test_no_directory_is_a_problem(name: str, tmp_path: Path) -> None:
    """A root directory that does not exist, or is a file, gives an empty inventory and one problem,
    and no exception."""
    write(tmp_path, {"file": ""})
    inventory = read_inventory(str(tmp_path / name))
    assert inventory.as_json() == Inventory().as_json()
    assert len(inventory.problems) == 1


def test_an_empty_directory_declares_nothing(tmp_path: Path) -> None:
    """An empty directory gives an empty inventory without problems."""
    assert read_inventory(str(tmp_path)) == Inventory()


def test_names_of_any_bytes_survive(tmp_path: Path) -> None:
    """A file name that is not UTF-8 is shown with a replacement character."""
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.tf")
    with open(path, "wb") as file:
        file.write(b'module "m" { source = "git::https://example.com/m.git" }')
    assert [call.file for call in read_inventory(str(tmp_path)).modules] == ["caf\ufffd.tf"]


@pytest.mark.parametrize(
    ("text", "backend"),
    [
        ('terraform { backend "s3" {} }', "s3"),
        ('terraform {\n  cloud {\n    workspaces {\n      name = "x"\n    }\n  }\n}', "cloud"),
        ("terraform {}", None),
    ],
)
def test_the_backend_is_its_type(text: str, backend: str | None, tmp_path: Path) -> None:
    """The backend is the type of the block, `cloud` for a cloud block, and null without either
    block."""
    assert read_inventory(str(write(tmp_path, {"main.tf": text}))).backend == backend


@pytest.mark.parametrize("name", ["main.tf", "main.tofu", "main.tofu.json"])
def test_a_backend_in_a_tofu_file_makes_a_root_module(name: str, tmp_path: Path) -> None:
    """A directory is a root module, and has a backend, if one of the two tools finds a backend."""
    json_text = '{"terraform": {"backend": {"s3": {}}}}'
    text = json_text if name.endswith("json") else 'terraform { backend "s3" {} }'
    root = write(tmp_path, {name: text, "z.tf": ""})
    assert find_backend(str(root)) == "s3"
    assert find_root_modules(str(tmp_path)) == [os.path.relpath(root, tmp_path)]
    assert find_backend(str(root / "nowhere")) is None


def test_an_override_file_replaces(tmp_path: Path) -> None:
    """An override file replaces required_version and backend as a whole, and a module's arguments
    one by one."""
    files: dict[str, str | bytes] = {
        "a.tf": 'terraform {\n  required_version = ">= 1.0"\n  backend "s3" {}\n}',
        "b.tf": 'terraform {\n  required_version = "< 3.0"\n}',
        "m.tf": 'module "m" {\n  source = "./one"\n}',
        "override.tf": 'terraform {\n  required_version = ">= 1.1"\n  backend "local" {}\n}',
        "z_override.tf.json": '{"module": {"m": {"source": "./two"}}}',
        "two/main.tf": 'data "http" "x" {}',
    }
    root = write(tmp_path / "root", files)
    inventory = read_inventory(str(root))
    assert (inventory.required_version, inventory.backend) == (">= 1.1", "local")
    assert inventory.modules == (ModuleCall("m", "./two", None, None, "m.tf"),)
    assert [provider.source for provider in inventory.providers] == [
        "registry.terraform.io/hashicorp/http"
    ]


@pytest.mark.exhaustive
def test_a_thousand_files_take_no_time_beside_terraform(
    tmp_path: Path, env: dict[str, str]
) -> None:
    """Reading 1,000 files of ordinary resources takes less CPU time than `terraform providers`."""
    body = '  tags = {\n    Name = "a-${count.index}"\n  }\n  list = [1, "two", f("x")]\n'
    resources = "".join(f'resource "aws_x" "r%d_{n}" {{\n{body}}}\n' for n in range(20))
    files: dict[str, str | bytes] = {
        f"f{n}.tf": resources.replace("%d", str(n)) for n in range(1000)
    }
    root = write(tmp_path / "root", files)
    script = "import sys; from tfevents.readers.hcl.inventory import read_inventory; "
    script += "print(read_inventory(sys.argv[1]).providers)"
    start = cpu_seconds()
    found = oracle.run(Path(sys.executable), root, env | PYTHON, "-c", script, ".")
    ours = cpu_seconds() - start
    assert "registry.terraform.io/hashicorp/aws" in found
    start = cpu_seconds()
    oracle.providers(engines.terraform(), root, env)
    assert ours < cpu_seconds() - start


def test_the_read_is_bounded(tmp_path: Path) -> None:
    """A file of exactly the maximum size is read; one that is a byte larger is a problem."""
    text = b'provider "aws" {}\n'
    write(
        tmp_path,
        {
            "a.tf": text + b"#" * (MAX_BYTES - len(text)),
            "b.tf": b"\n" * (MAX_BYTES + 1),
        },
    )
    inventory = read_inventory(str(tmp_path))
    assert len(inventory.providers) == 1
    assert inventory.problems == ("b.tf: it is larger than 4 MiB: correct it",)
