"""The launcher (bin/tf, a shell script): its decisions are those of the Python code, and unclear
cases are left to Python.

The terraform in these tests is the system's `false`, a binary that exits with 1; the Python that
the launcher starts is a script that exits with 42.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.exhaustive import exhaustive_except
from support.twins import TF

from tfevents.terraform import binary as provisioner
from tfevents.wrapper import main

TERRAFORM, PYTHON = 1, 42
OBSERVE = f"""#!/bin/sh
[ "$1" = -IS ] && [ "$2" = -c ] && shift 5
printf '%s|' "$@"
exit {PYTHON}
"""

COMMAND_LINES = """

version
-version
-help
plan
apply
destroy
refresh
import terraform_data.a x
plan -help
plan -h
apply x --help
destroy -no-color -- -help
-help plan
--help apply
-chdir=x plan
-chdir=x -chdir=y apply
-chdir=x
-chdir= plan
-chdir x plan
-chdir=x version
-chdir=x -bogus plan
-bogus plan
-version plan
plan plan
version plan
PLAN
plan=1
- plan
-- plan
init
state list
workspace show
fmt -
console
planx
refresh-only
plan -helpful""".splitlines()


@dataclass(frozen=True)
class Stage:
    """An installation with the launcher and its Python in one directory, and terraform in
    another."""

    home: Path

    @property
    def env(self) -> dict[str, str]:
        """The whole environment: the launcher and terraform are found by PATH."""
        return {
            "PATH": f"{self.home}/bin:{self.home}/engines:/usr/bin:/bin",
            "HOME": str(self.home),
        }

    def run(
        self, *words: str, program: str = "tf", cwd: str = "work", **env: str
    ) -> tuple[int, str]:
        """Runs a program of the installation; returns its exit code and stdout."""
        done = subprocess.run(
            [str(self.home / "bin" / program), *words],
            cwd=self.home / cwd,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        assert not done.stderr
        return done.returncode, done.stdout


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """An installation in a directory with a space in its name, as on macOS."""
    home = tmp_path / "a home"
    for name in ("bin", "engines", "work/.git"):
        (home / name).mkdir(parents=True)
    shutil.copy(TF, home / "bin" / "tf")
    (home / "lib/python3.99/site-packages/tfevents-1.0.dist-info").mkdir(parents=True)
    write_script(home / "bin" / "python3.99", OBSERVE)
    (home / "engines" / "terraform").symlink_to(binary("false"))
    return Stage(home)


def binary(name: str) -> str:
    found = shutil.which(name, path="/usr/bin:/bin")
    assert found
    return found


def write_script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_what_is_installed_is_the_front() -> None:
    """The installed `tf` is the shell script, not a console script: a command that is not reported
    must not wait for Python."""
    assert TF.read_bytes().startswith(b"#!/bin/sh\n# The front of tfevents")


@pytest.mark.parametrize("line", COMMAND_LINES)
@pytest.mark.parametrize("disabled", [None, "1", "true", "yes", "on"])
def test_the_front_and_the_scanner_say_the_same(
    stage: Stage, line: str, disabled: str | None
) -> None:
    """The launcher starts Python exactly for the commands that Python would report, and never if
    TFEVENTS_DISABLED is set."""
    env = {} if disabled is None else {"TFEVENTS_DISABLED": disabled}
    observed = main.is_reported(line.split()) and not disabled
    assert stage.run(*line.split(), **env)[0] == (PYTHON if observed else TERRAFORM)


@pytest.mark.parametrize("words", [("",), ("", "plan"), ("plan", ""), ("a b", "plan"), ("*",)])
def test_odd_words_are_words(stage: Stage, words: tuple[str, ...]) -> None:
    """The launcher neither splits an argument nor expands it as a file name pattern."""
    assert stage.run(*words)[0] == (PYTHON if main.is_reported([*words]) else TERRAFORM)


@pytest.mark.parametrize("word", ["0", "", "false", "no", "maybe", " 1", "TRUE"])
def test_what_is_not_plainly_disabled_is_pythons_to_decide(stage: Stage, word: str) -> None:
    """The launcher leaves unusual values of TFEVENTS_DISABLED to Python, which strips and
    lower-cases them; a command that is not reported becomes terraform in any case."""
    assert stage.run("plan", TFEVENTS_DISABLED=word)[0] == PYTHON
    assert stage.run("version", TFEVENTS_DISABLED=word)[0] == TERRAFORM


def test_python_gets_the_name_and_every_word(stage: Stage) -> None:
    """Python gets the path by which the launcher was called, which decides which binary is wanted,
    and all arguments unchanged."""
    said = stage.run("-chdir=x y", "plan", "", "-var=a=b  *")[1]
    assert said == f"{stage.home}/bin/tf|-chdir=x y|plan||-var=a=b  *|"


@pytest.mark.parametrize("link", ["../bin/tf", "{home}/bin/tf"])
def test_the_python_is_found_behind_links(stage: Stage, link: str) -> None:
    """The launcher finds its Python through links: pipx links the launcher into a directory, and
    users link that link."""
    (stage.home / "shims").mkdir()
    (stage.home / "shims" / "tf").symlink_to(link.format(home=stage.home))
    (stage.home / "work" / "mine").symlink_to("../shims/tf")
    assert stage.run("plan", program="../work/mine")[0] == PYTHON
    assert stage.run("version", program="../work/mine")[0] == TERRAFORM


def test_it_is_found_from_where_it_is(stage: Stage) -> None:
    """`sh tf plan` works in the launcher's own directory."""
    done = subprocess.run(
        ["/bin/sh", "tf", "plan"], check=False, cwd=stage.home / "bin", env=stage.env
    )
    assert done.returncode == PYTHON


@pytest.mark.parametrize("name", ["terraform", "tofu"])
def test_a_shim_is_passed_by(stage: Stage, name: str) -> None:
    """A launcher that is called `terraform` or `tofu` runs only the binary of that name, and never
    itself; without such a binary Python prints the error."""
    (stage.home / "engines" / "tofu").symlink_to(binary("true"))
    (stage.home / "bin" / name).symlink_to("tf")
    wanted = {"terraform": TERRAFORM, "tofu": 0}
    assert stage.run("version", program=name)[0] == wanted[name]
    assert stage.run("version")[0] == TERRAFORM
    (stage.home / "engines" / name).unlink()
    assert stage.run("version", program=name)[0] == PYTHON  # Python prints the error


def test_tofu_is_taken_where_there_is_no_terraform(stage: Stage) -> None:
    """Without a terraform on PATH the launcher runs tofu, as Python would."""
    (stage.home / "engines" / "terraform").rename(stage.home / "engines" / "tofu")
    assert stage.run("version")[0] == TERRAFORM


@pytest.mark.parametrize("call", ["exec tf", "tf", 'exec "$0-of-us/tf"', "(:; (:; tf"])
def test_a_script_that_leads_back_is_pythons_to_judge(stage: Stage, call: str) -> None:
    """If a script named terraform calls `tf` again, of this or another installation, the launcher
    leaves the decision to Python; any other script, such as a version manager's, is run at once."""
    ends = "; exit $?); exit $?); exit $?" if call.startswith("(") else ""
    (stage.home / "engines" / "terraform").unlink()
    write_script(stage.home / "engines" / "terraform", f'#!/bin/sh\n{call} "$@"{ends}\n')
    (stage.home / "engines" / "terraform-of-us").symlink_to(stage.home / "bin")
    assert stage.run("version")[0] == PYTHON
    write_script(stage.home / "engines" / "terraform", "#!/bin/sh\nexit 7\n")
    assert stage.run("version")[0] == 7


@pytest.mark.parametrize(
    "path", ["", "{home}/nothing", ":{home}/engines", "{home}/engines/../engines:"]
)
def test_path_is_read_as_a_shell_reads_it(stage: Stage, path: str) -> None:
    """An empty part of PATH is the working directory."""
    known = f"{path.format(home=stage.home)}:/usr/bin:/bin" if path else ""
    assert stage.run("version", PATH=known)[0] == (TERRAFORM if "engines" in path else PYTHON)
    shutil.copy(binary("true"), stage.home / "work" / "terraform")
    assert stage.run("version", PATH=":/usr/bin:/bin")[0] == 0
    assert stage.run("version", PATH="/usr/bin:/bin:")[0] == 0


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ("terraform", TERRAFORM),
        ("{home}/engines/other", 0),
        ("other", 0),
        ("none", PYTHON),
        ("{home}/engines/none", PYTHON),
        ("../engines/other", 0),
        ("~/engines/other", PYTHON),
        (" other", PYTHON),
        ("*", PYTHON),
    ],
)
def test_another_one_can_be_named(stage: Stage, wanted: str, code: int) -> None:
    """The launcher runs the program that TFEVENTS_PROVISIONER names, by a name on PATH or by a
    path; a program that is not found, and any unusual value, is left to Python."""
    home = stage.home.with_name("home")
    stage.home.rename(home)
    shutil.copy(binary("true"), home / "engines" / "other")
    named = wanted.format(home=home)
    assert Stage(home).run("version", TFEVENTS_PROVISIONER=named)[0] == code


def test_a_provisioner_at_the_root_is_not_the_checkouts(stage: Stage) -> None:
    """TFEVENTS_PROVISIONER=/NAME does not run ./NAME."""
    shutil.copy(binary("false"), stage.home / "work" / "other")
    assert stage.run("version", TFEVENTS_PROVISIONER="/other")[0] == PYTHON


@pytest.mark.parametrize(
    "file", ["work/.tfevents.hcl", ".tfevents.hcl", ".config/tfevents/config.hcl"]
)
def test_no_settings_file_is_read(stage: Stage, file: str) -> None:
    """The launcher reads no settings file, so that a checkout can neither choose the program that
    is run nor keep terraform from running."""
    path = stage.home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('provisioner = "./x.sh"')
    assert stage.run("version")[0] == TERRAFORM
    path.unlink()
    os.mkfifo(path)
    assert stage.run("version")[0] == TERRAFORM


def test_terraform_inherits_everything_but_our_keys(stage: Stage) -> None:
    """Terraform inherits the environment unchanged, without tfevents' API keys and with
    TFEVENTS_CALLER."""
    (stage.home / "engines" / "terraform").unlink()
    (stage.home / "engines" / "terraform").symlink_to(binary("env"))
    keys = dict.fromkeys(provisioner.SECRETS, "pat.a.b.c")
    given = {"HARNESS_API_KEY": "kept", "TF_CLI_ARGS": "-x", "ODD": "a\nb = * "}
    said = stage.run(**keys, **given)[1].replace("a\nb = * ", "ODD")
    inherited = dict(line.split("=", 1) for line in said.splitlines())
    ours = {name: inherited.pop(name, "") for name in ("PWD", "OLDPWD", "SHLVL", "_")}
    assert inherited.pop(provisioner.CALLER).endswith(f":{stage.home}/engines/terraform")
    assert inherited == {**stage.env, **given, "ODD": "ODD"}
    assert ours["PWD"] in ("", os.fspath((stage.home / "work").resolve()))


SEEN = f"""#!{sys.executable} -IS
import sys
open("seen-" + sys.argv[1], "wb").write(open("/proc/self/environ", "rb").read())
"""


GIVEN: list[dict[str, str]] = [
    {"TF_VAR_my-var": "a\nb=c", "9x": "=1", "BASH_FUNC_f%%": "() { :; }", "a.b": ""},
    {"LC_CTYPE": "POSIX"},
    {},
]


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="there is no /proc")
@pytest.mark.parametrize("command", ["version", "plan"])
@pytest.mark.parametrize(
    "given",
    exhaustive_except(GIVEN, GIVEN[0]),
    ids=lambda given: "-".join(given) or "no locale",
)
def test_terraform_has_every_variable_and_no_locale_of_python(
    tmp_path: Path, command: str, given: dict[str, str]
) -> None:
    """Variables whose names are no names of shell variables reach terraform; LC_CTYPE, which Python
    sets where there is no locale, does not."""
    engine = tmp_path / "bin" / "terraform"
    engine.parent.mkdir()
    engine.write_text(SEEN)
    engine.chmod(0o755)
    env = {"PATH": f"{engine.parent}:/usr/bin:/bin", "HOME": str(tmp_path), **given}
    subprocess.run([TF, command], env=env, cwd=tmp_path, capture_output=True, check=True)
    entries = (tmp_path / f"seen-{command}").read_bytes().decode().split("\0")
    seen = dict(entry.split("=", 1) for entry in entries if entry)
    ours = {"PWD", "OLDPWD", provisioner.CALLER, "TF_IN_AUTOMATION"}
    assert {name: text for name, text in seen.items() if name not in ours} == env


def test_without_its_python_terraform_runs(stage: Stage) -> None:
    """In an incomplete installation without Python the launcher becomes terraform, and says of a
    plan that it is not reported; without terraform it exits with 127 and a message."""
    (stage.home / "bin" / "python3.99").unlink()
    assert stage.run("version")[0] == TERRAFORM
    plan = [stage.home / "bin" / "tf", "plan"]
    done = subprocess.run(plan, check=False, env=stage.env, capture_output=True)
    assert (done.returncode, done.stderr.count(b"\n")) == (TERRAFORM, 1)
    assert done.stderr.startswith(b"tfevents: nothing is reported: there is no Python for it")
    (stage.home / "engines" / "terraform").unlink()
    done = subprocess.run(
        [stage.home / "bin" / "tf"], check=False, env=stage.env, capture_output=True
    )
    assert done.returncode == 127
    assert done.stderr.startswith(b"tfevents: found no terraform or tofu, and no Python")


TELLING = """\
import os, sys
def run_from_launcher():
    print({name!r}, sys.flags.no_site, sys.flags.isolated, *sys.argv[1:], flush=True)
    os._exit(43)
"""
STUB = 43


@dataclass(frozen=True)
class Prefix:
    """An installation: the launchers, and a package that only prints how Python was started."""

    home: Path

    def run(self, *words: str, program: str = "tf", **env: str) -> tuple[int, str]:
        """Runs a program of the installation in `checkout`; returns its exit code and stdout."""
        done = subprocess.run(
            [self.home / "bin" / program, *words],
            cwd=self.checkout,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.home), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
        assert not done.stderr
        return done.returncode, done.stdout

    @property
    def checkout(self) -> Path:
        """A working directory with Python modules and programs that must not be run."""
        place = self.home / "checkout"
        place.mkdir(exist_ok=True)
        for name in ("os", "site", "json", "encodings", "sitecustomize", "usercustomize", "click"):
            (place / f"{name}.py").write_text("print('the checkout was run')\n")
        for name in ("tfevents-observe", "python3", VERSION):
            write_script(place / name, "#!/bin/sh\necho the checkout was run\n")
        return place

    @property
    def packages(self) -> Path:
        """The directory into which pip installs tfevents."""
        return self.home / "lib" / VERSION / "site-packages"


VERSION = "python{}.{}".format(*sys.version_info)


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    """An installation as pip lays it out, with its Python beside the launchers."""
    home = Prefix(tmp_path / "a prefix")
    package = home.packages / "tfevents"
    package.mkdir(parents=True)
    (home.packages / "tfevents-1.0.dist-info").mkdir()
    (package / "__init__.py").touch()
    for name, folder in (("tf", "wrapper"), ("cli", "cli")):
        (package / folder).mkdir()
        (package / folder / "main.py").write_text(TELLING.format(name=name))
    (home.home / "bin").mkdir()
    for name in ("tf", "tfevents"):
        shutil.copy(TF, home.home / "bin" / name)
    python = os.path.realpath(sys.executable)  # the tests' own environment has tfevents, too
    write_script(home.home / "bin" / VERSION, f'#!/bin/sh\nexec {python} "$@"\n')
    return home


def test_python_is_woken_without_what_it_looks_up_for_everybody(prefix: Prefix) -> None:
    """Python is started isolated and without `site`, which would take a third of its start."""
    assert prefix.run("plan", "-var=x=a b") == (STUB, "tf 1 1 plan -var=x=a b\n")
    assert prefix.run("log", "", program="tfevents") == (STUB, "cli 1 1 log \n")


OWN_VARIABLES = {
    "PYTHONPATH": ":/opt/lib",
    "PYTHONHOME": "/opt/other",
    "PYTHONSTARTUP": "site.py",
    "PYTHONSAFEPATH": "",
    "PYTHONUSERBASE": ".",
    "PYTHONPLATLIBDIR": "nowhere",
    "PYTHONEXECUTABLE": "/opt/python",
    "PYTHONINSPECT": "1",
    "PYTHONVERBOSE": "1",
    "PYTHONOPTIMIZE": "2",
    "PYTHONIOENCODING": "no-such-encoding",
    "PYTHONPYCACHEPREFIX": "cache",
    "PYTHONBREAKPOINT": "os.system",
    "PYTHONWARNINGS": "error",
    "PYTHONMALLOC": "nonsense",
}
KEPT = ("PYTHONPATH", "PYTHONHOME", "PYTHONPYCACHEPREFIX")


@pytest.mark.parametrize("name", exhaustive_except(OWN_VARIABLES, *KEPT))
@pytest.mark.parametrize("program", ["tf", "tfevents"])
def test_pythons_own_variables_never_matter(prefix: Prefix, name: str, program: str) -> None:
    """Python's environment variables do not affect `tf` and `tfevents`: they may be set by a
    checkout or for another program."""
    given = {name: OWN_VARIABLES[name]}
    assert prefix.run("plan", program=program, **given)[0] == STUB
    assert not list(prefix.checkout.glob("cache"))


@pytest.mark.parametrize("program", ["tf", "tfevents"])
def test_no_module_of_the_working_directory_is_run(prefix: Prefix, program: str) -> None:
    """No Python module of the working directory is imported, and no Python is taken from a relative
    directory on PATH."""
    (prefix.home / "bin" / VERSION).rename(prefix.home / VERSION)
    path = f".:bin::{prefix.home}:/usr/bin:/bin"
    code, said = prefix.run("plan", program=program, PATH=path)
    assert (code, "checkout was run" in said) == (STUB, False)


def test_what_terraform_gets_is_untouched(prefix: Prefix) -> None:
    """Terraform inherits Python's environment variables unchanged: a provisioner's script may need
    them."""
    write_script(prefix.home / "bin" / "terraform", "#!/bin/sh\nenv\n")
    said = prefix.run("version", PATH=f"{prefix.home}/bin:/usr/bin:/bin", **OWN_VARIABLES)[1]
    for name, value in OWN_VARIABLES.items():
        assert f"{name}={value}\n" in said


@pytest.mark.parametrize("where", ["lib/{}/dist-packages", "."])
def test_it_is_found_where_an_installer_puts_it(prefix: Prefix, where: str) -> None:
    """The launcher finds the package in a distribution's `dist-packages` and in a `pip install
    --target` directory."""
    (prefix.home / "bin" / "python3").symlink_to(VERSION)
    moved = prefix.home / where.format(VERSION)
    moved.mkdir(exist_ok=True)
    for entry in prefix.packages.iterdir():
        entry.rename(moved / entry.name)
    assert prefix.run("plan") == (STUB, "tf 1 1 plan\n")


def test_an_editable_installation_is_found(prefix: Prefix) -> None:
    """An editable installation is found through the .pth file that pip leaves beside the
    packages."""
    (prefix.packages / "tfevents").rename(prefix.home / "tfevents")
    (prefix.packages / "__editable__.tfevents.pth").write_text(f"{prefix.home}\n")
    assert prefix.run("plan") == (STUB, "tf 1 1 plan\n")


def test_a_virtual_environments_python_is_its_own(prefix: Prefix) -> None:
    """In a virtual environment the launcher starts that environment's Python, not one on PATH."""
    (prefix.home / "bin" / VERSION).rename(prefix.home / "bin" / "python3")
    (prefix.home / "pyvenv.cfg").touch()
    write_script(prefix.home / VERSION, "#!/bin/sh\nexit 3\n")
    assert prefix.run("plan", PATH=f"{prefix.home}:/usr/bin:/bin")[0] == STUB


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_a_shell_may_be_told_its_name(prefix: Prefix, shell: str) -> None:
    """`bash tf plan` finds the launcher on PATH, and runs nothing of the working directory."""
    path = f"{prefix.home}/bin:/usr/bin:/bin"
    done = subprocess.run(
        [shell, "tf" if shell == "bash" else f"{prefix.home}/bin/tf", "plan"],
        cwd=prefix.checkout,
        env={"PATH": path, "HOME": str(prefix.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (STUB, "tf 1 1 plan\n")


@pytest.mark.parametrize("broken", ["raise MemoryError", "import no_such_module", "not Python"])
def test_with_a_broken_package_terraform_runs(prefix: Prefix, broken: str) -> None:
    """If the package can't be imported, terraform runs with exactly the user's arguments, and one
    line says that nothing is reported."""
    (prefix.packages / "tfevents" / "wrapper" / "main.py").write_text(f"{broken}\n")
    write_script(
        prefix.home / "bin" / "terraform",
        '#!/bin/sh\nprintf "%s|" "$@"\n[ ! "${TFEVENTS_FRONT+x}" ] && exit 5\n',
    )
    done = subprocess.run(
        [prefix.home / "bin" / "tf", "plan", "", "-var=a=b *"],
        env={"PATH": f"{prefix.home}/bin:/usr/bin:/bin", "HOME": str(prefix.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, "plan||-var=a=b *|")
    assert done.stderr.startswith("tfevents: nothing is reported: ")
    assert done.stderr.count("\n") == 1


def test_a_dependency_that_is_installed_elsewhere_is_found_when_it_is_missed() -> None:
    """SiteFinder finds a dependency outside tfevents' own package directory; a missing module of
    the standard library, which is usual, does not make it run `site`."""
    root = Path(main.__file__).parents[2]
    code = f"""\
import sys
sys.path.append({str(root)!r})
from tfevents.wrapper.main import SiteFinder
sys.meta_path.append(SiteFinder)
sys.path.remove({str(root)!r})
try:
    import msvcrt
except ImportError:
    print("site" in sys.modules)
import msgspec
"""
    python = [sys.executable, "-IS", "-c", code]
    done = subprocess.run(python, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.parametrize(("program", "folder"), [("tf", "wrapper"), ("tfevents", "cli")])
def test_ctrl_c_while_it_is_imported_is_no_traceback(
    prefix: Prefix, program: str, folder: str
) -> None:
    """Ctrl-C while the package is imported ends the process by SIGINT, without a traceback."""
    path = prefix.packages / "tfevents" / folder / "main.py"
    path.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n" + path.read_text())
    assert prefix.run("plan", program=program) == (-signal.SIGINT, "")
