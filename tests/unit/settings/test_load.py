"""Where each setting is taken from, in which order, and the error for a value that can't be
used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tfevents.errors import SettingError
from tfevents.settings.environment import HARNESS_NAMES
from tfevents.settings.file_format import CHECKOUT_FIELDS
from tfevents.settings.home import find_home
from tfevents.settings.load import gather_settings, load_settings
from tfevents.settings.model import ApiKey, Settings

KEY = "pat.acct.token-canary.secret-canary"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout; home and the user's configuration are beside it."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    return checkout


def environment(place: Path, **more: str) -> dict[str, str]:
    """The variables for home and the user's configuration, and these."""
    config = str(place.parent / "xdg_config_home")
    return {"TFEVENTS_HOME": str(place.parent / "home"), "XDG_CONFIG_HOME": config, **more}


def write_project(place: Path, text: str, name: str = ".tfevents.hcl") -> Path:
    """Writes a settings file of the checkout; returns its path."""
    path = place / name
    path.write_text(text)
    return path


def write_user(place: Path, text: str) -> Path:
    """Writes the user's own settings file; returns its path."""
    folder = place.parent / "xdg_config_home" / "tfevents"
    folder.mkdir(parents=True, exist_ok=True)
    return write_project(folder, text, "config.hcl")


# For each field: the block it stands in, and the form of a good value for each place

FIELDS = {
    "url": ("harness", "https://{}.example"),
    "api_path": ("harness", "/{}"),
    "account": ("harness", "{}"),
    "org": ("harness", "{}"),
    "project": ("harness", "{}"),
    "workspace": ("harness", "{}"),
    "timeout": ("", "{n}"),
    "cost_file": ("", "{place}/{}.json"),
}


def places(name: str, place: Path) -> list[tuple[str, str]]:
    """All places of a field, the strongest first."""
    upper = name.upper()
    variables = [f"TFEVENTS_{upper}", *HARNESS_NAMES.get(name, ())]
    files = (
        ["config.hcl"]
        if name not in CHECKOUT_FIELDS
        else [str(place / ".tfevents.hcl"), "config.hcl"]
    )
    return [("flag", name), *(("variable", v) for v in variables), *(("file", f) for f in files)]


@pytest.mark.parametrize("name", FIELDS)
def test_the_stronger_place_wins(place: Path, name: str) -> None:
    """For every field, the order of precedence is: flag, TFEVENTS_*, Harness' own variables,
    project file, user's file, default."""
    block, form = FIELDS[name]
    order = places(name, place)
    for strongest in range(len(order) + 1):
        env, flags = environment(place), {}
        (place / ".tfevents.hcl").unlink(missing_ok=True)
        write_user(place, "")
        for rank, (kind, where) in enumerate(order):
            if rank < strongest:
                continue
            value = form.format(f"v{rank}", n=rank + 1, place=place)
            line = f'{name} = "{value}"'
            text = f"harness {{\n{line}\n}}" if block else line
            if kind == "flag":
                flags[name] = value
            elif kind == "variable":
                env[where] = value
            elif where == "config.hcl":
                write_user(place, text)
            else:
                write_project(place, text)
        found = load_settings(env, str(place), flags=flags)
        got = getattr(found, name, None)
        if strongest == len(order):
            assert found.sources[name] == "default"
            defaults = {"url": "https://app.harness.io", "api_path": "/iacm/api", "timeout": 10}
            assert got == defaults.get(name)
        else:
            wanted = form.format(f"v{strongest}", n=strongest + 1, place=place)
            assert str(got) == str(float(wanted) if name == "timeout" else wanted)
            kind, where = order[strongest]
            said = f"--{name.replace('_', '-')}" if kind == "flag" else where
            assert said in found.sources[name]


@pytest.mark.parametrize("name", ["strict", "direct", "quiet"])
def test_switches_are_words(place: Path, name: str) -> None:
    """A switch is set by words for on and off; its variable takes precedence over the user's
    file."""
    for word, on in (("1", True), ("TRUE", True), ("yes", True), ("0", False), ("off", False)):
        env = environment(place, **{f"TFEVENTS_{name.upper()}": word})
        assert getattr(load_settings(env, str(place)), name) is on
    write_user(place, f"{name} = true")
    assert getattr(load_settings(environment(place), str(place)), name) is True
    off = environment(place, **{f"TFEVENTS_{name.upper()}": "no"})
    assert getattr(load_settings(off, str(place)), name) is False


def test_outside_the_container_plugin_variables_are_somebody_elses(place: Path) -> None:
    """PLUGIN_* variables are ignored outside of the container, which itself turns them into
    TFEVENTS_* (tests/integration/stage)."""
    env = environment(place, PLUGIN_ORG="theirs")
    assert load_settings(env, str(place)).org is None


def test_the_workspace_directory_of_harness_is_never_a_workspace(place: Path) -> None:
    """HARNESS_WORKSPACE and DRONE_WORKSPACE hold a directory, /harness, and are never taken for the
    workspace."""
    env = environment(place, HARNESS_WORKSPACE="/harness", DRONE_WORKSPACE="/harness")
    assert load_settings(env, str(place)).workspace is None
    assert load_settings({**env, "IACM_WORKSPACE_ID": "prod"}, str(place)).workspace == "prod"


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_value_is_absent(place: Path, empty: str) -> None:
    """An empty value counts as not set, because a pipeline passes an unresolved setting on as an
    empty one."""
    env = environment(place, TFEVENTS_ORG=empty, HARNESS_ORG_ID="org", TFEVENTS_TIMEOUT=empty)
    found = load_settings({**env, "TFEVENTS_STRICT": empty}, str(place))
    assert (found.org, found.timeout, found.strict) == ("org", 10, False)


# Keys


def test_a_key_shows_no_more_than_two_segments() -> None:
    """However a key or settings with a key are printed, at most the key's first two segments are
    shown."""
    key = ApiKey(KEY)
    assert str(key) == "pat.acct.***"
    for text in (repr(key), str(key), f"{key}", repr(Settings("/h", api_key=key))):
        assert "canary" not in text
    for odd in ("canary", "pat.canary", "pat.acct.canary", "a.b.c.canary", KEY + ".more", ""):
        assert str(ApiKey(odd)) == "***"
        assert "canary" not in repr(ApiKey(odd))
    assert "canary" not in str(replace(Settings("/h"), api_key=key))


def test_the_account_is_the_second_segment_of_a_key(place: Path) -> None:
    """The account is taken from the second segment of a pat. or sat. key of four segments, unless
    it is set."""
    env = environment(place, TFEVENTS_API_KEY=KEY)
    assert load_settings(env, str(place)).account == "acct"
    assert load_settings({**env, "HARNESS_ACCOUNT_ID": "set"}, str(place)).account == "set"
    token = {**env, "TFEVENTS_API_KEY": "ey.a.jwt", "HARNESS_ACCOUNT_ID": "step"}
    assert load_settings(token, str(place)).account == "step"
    sat = load_settings({**env, "TFEVENTS_API_KEY": "sat.other.t.s"}, str(place))
    assert sat.account == "other"


@pytest.mark.parametrize("text", [KEY, KEY + "\n", "\n  " + KEY + " \r\n\n"])
def test_a_key_file_holds_a_key(place: Path, text: str) -> None:
    """A key file may have white space and line ends around the key."""
    (place.parent / "key").write_text(text)
    env = environment(place, TFEVENTS_API_KEY_FILE=str(place.parent / "key"))
    key = load_settings(env, str(place)).api_key
    assert key is not None
    assert key.secret == KEY


def test_a_key_file_is_found_from_where_it_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a key file's path, ~ is the home directory; a relative path in a variable is relative to
    the working directory, and one in a settings file to that file's directory."""
    (place.parent / "home-key").write_text("pat.home.t.s")
    monkeypatch.setenv("HOME", str(place.parent))
    env = environment(place, TFEVENTS_API_KEY_FILE="~/home-key")
    assert load_settings(env, str(place)).account == "home"
    monkeypatch.chdir(place.parent)
    env = environment(place, TFEVENTS_API_KEY_FILE="home-key")
    assert load_settings(env, str(place)).account == "home"
    user = write_user(place, 'harness { api_key_file = "user-key" }')
    user.with_name("user-key").write_text("pat.user.t.s")
    assert load_settings(environment(place), str(place)).account == "user"


def test_a_key_is_taken_from_the_strongest_place_by_value_or_by_file(place: Path) -> None:
    """TFEVENTS_API_KEY_FILE takes precedence over HARNESS_API_KEY; in the same place, a key takes
    precedence over a key file."""
    (place.parent / "key").write_text("pat.file.t.s")
    file = {"TFEVENTS_API_KEY_FILE": str(place.parent / "key")}
    env = environment(place, HARNESS_API_KEY="pat.harness.t.s")
    assert load_settings({**env, **file}, str(place)).account == "file"
    assert (
        load_settings({**env, **file, "TFEVENTS_API_KEY": "pat.env.t.s"}, str(place)).account
        == "env"
    )
    assert load_settings(env, str(place)).account == "harness"
    write_user(place, f'harness {{ api_key_file = "{place.parent / "key"}" }}')
    assert load_settings(environment(place), str(place)).account == "file"
    assert load_settings(env, str(place)).account == "harness"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file or directory"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "it is no text"),
        (b"pat.acct.t s", "an API key has no spaces"),
        (b"a\nb", "an API key has no spaces"),
        (b"x" * 5000 + b"\n", "this is no pat.ACCOUNT.ID.SECRET"),
    ],
)
def test_a_key_file_that_is_none(place: Path, content: bytes | None, words: str) -> None:
    """The error for an unusable key file names the variable and the reason."""
    path = place.parent / "key"
    if content is not None:
        path.write_bytes(content)
    env = environment(place, TFEVENTS_API_KEY_FILE=str(path))
    with pytest.raises(SettingError, match=words) as caught:
        load_settings(env, str(place))
    assert str(caught.value).startswith("TFEVENTS_API_KEY_FILE: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f'"{KEY}"', "the quotes are taken for a part of the key: leave them out"),
        (f"'{KEY}", "the quotes are taken"),
        (f"\u201c{KEY}\u201d", "the quotes are taken"),
        (f"Bearer {KEY}", "'Bearer' is no part of a key: leave it out"),
        (f"x-api-key: {KEY}", "'x-api-key:' is no part of a key"),
        (KEY.rpartition(".")[0], "this is not the whole of a key, which is pat.ACCOUNT.ID.SECRET"),
        (KEY + ".", "this is not the whole of a key"),
        ("pat.", "this is not the whole of a key"),
        ("canary", "this is no pat.ACCOUNT.ID.SECRET: take such a key, or set TFEVENTS_ACCOUNT"),
    ],
)
def test_what_is_no_key_is_named_as_that(place: Path, text: str, words: str) -> None:
    """The error for a text that is no key says what is wrong with it, quotes none of it and does
    not call the account missing."""
    with pytest.raises(SettingError, match=re.escape(words)) as caught:
        load_settings(environment(place, TFEVENTS_API_KEY=text), str(place))
    assert str(caught.value).startswith("TFEVENTS_API_KEY: ")
    assert "canary" not in str(caught.value)


def test_a_key_in_the_place_of_its_file_is_not_shown(place: Path) -> None:
    """If a key is given instead of a key file's path, the error does not quote it."""
    with pytest.raises(SettingError) as caught:
        load_settings(environment(place, TFEVENTS_API_KEY_FILE=KEY), str(place))
    assert "canary" not in str(caught.value)


def test_a_directory_is_no_key_file(place: Path) -> None:
    """A directory as the key file is an error."""
    with pytest.raises(SettingError, match="Is a directory"):
        load_settings(environment(place, TFEVENTS_API_KEY_FILE=str(place)), str(place))


# Values that can't be used


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "app.harness.io", "ftp://x.example", "https://", "https://x:99999", "//x"),
        *("https://u:canary@x.example", "https://canary@x.example", "http://x.example"),
        *("https://x.example/?a=b", "https://x.example/#a", "https://x example", "https://x\ny"),
        *("https://[::1", "https://x\\y", "http://localhost.example", "http://127.0.0.1.example"),
    ],
)
def test_a_url_that_is_none(place: Path, url: str) -> None:
    """The error for an invalid URL is one line that names the variable and not the value, which may
    contain a password."""
    with pytest.raises(SettingError) as caught:
        load_settings(environment(place, TFEVENTS_URL=url), str(place))
    assert str(caught.value).startswith("TFEVENTS_URL: ")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *("https://app.harness.io", "https://app.harness.io/gateway/", "HTTPS://x.example:8443"),
        *("http://localhost:1", "http://127.0.0.1", "http://127.9.9.9:1", "http://[::1]:1"),
    ],
)
def test_a_url_that_is_one(place: Path, url: str) -> None:
    """https is accepted for any host, http only for this machine."""
    assert load_settings(environment(place, TFEVENTS_URL=url), str(place)).url == url.rstrip("/")


def test_http_can_be_allowed(place: Path) -> None:
    """TFEVENTS_ALLOW_HTTP allows http to other hosts; it is a variable of its own, so that http is
    not used by accident."""
    env = environment(place, TFEVENTS_URL="http://x.example")
    for word in ("1", " Yes "):
        found = load_settings({**env, "TFEVENTS_ALLOW_HTTP": word}, str(place))
        assert found.url == "http://x.example"
    for word in ("", " ", " off "):
        with pytest.raises(SettingError, match=r"^TFEVENTS_URL: http:// shows the key"):
            load_settings({**env, "TFEVENTS_ALLOW_HTTP": word}, str(place))


@pytest.mark.parametrize(
    ("given", "taken"),
    [("/iacm/api", "/iacm/api"), ("api/", "/api"), ("/", ""), ("//a//", "/a")],
)
def test_an_api_path_has_one_slash_before_it(place: Path, given: str, taken: str) -> None:
    """An API path gets one leading slash and no trailing one."""
    assert load_settings(environment(place, TFEVENTS_API_PATH=given), str(place)).api_path == taken


BAD = {
    "TFEVENTS_TIMEOUT": ("soon", "-1", "nan", "inf", "3601", "1s", "1e9"),
    "TFEVENTS_STRICT": ("maybe", "2"),
    "TFEVENTS_QUIET": ("x",),
    "TFEVENTS_ALLOW_HTTP": ("maybe", "2"),
    "TFEVENTS_ACCOUNT": ("a" * 129, "a\nb", "ü"),
    "TFEVENTS_ORG": ("a" * 129, "a\x00b", "\udc80"),
    "TFEVENTS_PROJECT": ("a" * 129, "a\u2028b"),
    "TFEVENTS_WORKSPACE": ("a" * 1025, "a\tb"),
    "TFEVENTS_API_PATH": ("/a?b", "/a b", "/a#b"),
    "TFEVENTS_API_KEY": ("a b", "a\x7f", "ü"),
    "TFEVENTS_CA_BUNDLE": ("/nowhere/ca.pem",),
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_a_bad_value_is_one_line_that_names_its_variable(
    place: Path, name: str, value: str
) -> None:
    """The error for a bad value is one printable line that begins with the variable's name."""
    with pytest.raises(SettingError) as caught:
        load_settings(environment(place, **{name: value}), str(place))
    assert str(caught.value).startswith(f"{name}: ")
    assert str(caught.value).isprintable()


def test_the_rest_is_read_all_the_same(place: Path) -> None:
    """`gather_settings` returns the valid settings, such as org and `strict`, together with the
    errors."""
    env = environment(
        place, TFEVENTS_TIMEOUT="soon", TFEVENTS_ORG="org", TFEVENTS_STRICT="1", TFEVENTS_URL="x"
    )
    found, wrong = gather_settings(env, str(place))
    assert (found.org, found.strict, found.timeout) == ("org", True, 10)
    assert [str(error).partition(":")[0] for error in wrong] == ["TFEVENTS_URL", "TFEVENTS_TIMEOUT"]


def test_a_bad_value_in_a_file_names_file_line_and_field(place: Path) -> None:
    """The error names the line of the field itself, not that of a comment that contains its
    name."""
    path = write_user(
        place,
        '# timeout = 3\nharness {\n  organization_ = "x"\n}\n'.replace("organization_", "org")
        + '// timeout\n\n   timeout   = "soon"\n',
    )
    with pytest.raises(SettingError, match=rf"^{path}, line 7, timeout: 'soon' is no number"):
        load_settings(environment(place), str(place))


# Home


def test_home_is_where_it_is_set(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TFEVENTS_HOME may be absolute, relative to the working directory, or begin with ~; if it is
    not set, the platform's state directory is used."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", "/somebody")
    assert find_home({"TFEVENTS_HOME": "/a/b"}) == "/a/b"
    assert find_home({"TFEVENTS_HOME": "a"}) == str(place / "a")
    assert find_home({"TFEVENTS_HOME": "~/a"}) == "/somebody/a"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert find_home({"TFEVENTS_HOME": " "}) == "/somebody/.local/state/tfevents"


# .tfevents.hcl


MAP = """
harness {
  account = "acct"
  org     = "default"
  workspace = "everywhere_else"
}
workspace "network" {
  directory = "live/network"
}
workspace "network_blue" {
  directory    = "./live/network/"
  tf_workspace = "blue"
}
workspace "root" {}
"""


@pytest.mark.parametrize(
    ("directory", "tf_workspace", "workspace"),
    [
        ("live/network", "default", "network"),
        ("live/network", "blue", "network_blue"),
        ("live/network", "green", "network"),
        ("live", "default", "everywhere_else"),
        ("live/network/below", "default", "everywhere_else"),
        (".", "default", "root"),
    ],
)
def test_a_monorepo_maps_directories_to_workspaces(
    place: Path, directory: str, tf_workspace: str, workspace: str
) -> None:
    """A workspace block applies to exactly its directory and, if it names one, to its terraform
    workspace, wherever in the file the harness block stands."""
    (place / "live/network/below").mkdir(parents=True)
    blocks = MAP.split("\n}\n")
    for text in (MAP, "\n}\n".join([*blocks[1:-1], blocks[0], blocks[-1]])):
        write_project(place, text)
        env = environment(place)
        found = load_settings(env, str(place / directory), tf_workspace=tf_workspace)
        assert found.workspace == workspace
        assert (found.account, found.org) == ("acct", "default")


def test_a_mapped_directory_may_be_a_link(place: Path) -> None:
    """A workspace block whose directory is a link applies to the directory that the link leads
    to."""
    (place / "live").mkdir()
    (place / "link").symlink_to("live")
    write_project(place, 'workspace "w" { directory = "link" }')
    assert load_settings(environment(place), str(place / "live")).workspace == "w"


def test_two_workspaces_for_one_directory_are_an_error(place: Path) -> None:
    """Two workspace blocks for the same directory and terraform workspace are an error, because
    neither is preferred."""
    path = write_project(place, 'workspace "a" {}\nworkspace "b" {}\n')
    with pytest.raises(SettingError, match=rf"^{path}, line 1, workspace: a and b are mapped"):
        load_settings(environment(place), str(place))


def test_the_nearest_file_up_to_the_git_root_is_read(place: Path) -> None:
    """The nearest .tfevents.hcl up to the git root is read, and none above it; outside of git, only
    the one in the directory itself."""
    deep = place / "a" / "b"
    deep.mkdir(parents=True)
    write_project(place.parent, 'harness { org = "above" }')
    env = environment(place)
    assert load_settings(env, str(deep)).org is None
    write_project(place, 'harness { org = "root" }')
    assert load_settings(env, str(deep)).org == "root"
    write_project(place / "a", 'harness { org = "near" }')
    assert load_settings(env, str(deep)).org == "near"
    (place / ".git").rmdir()
    assert load_settings(env, str(deep)).org is None
    assert load_settings(env, str(place / "a")).org == "near"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('nonsense = "x"', "line 1, nonsense: no such setting"),
        ('harness {\n  nonsense = "x"\n}', "line 2, nonsense: no such setting in harness"),
        ('harness = "x"', "line 1, harness: this is a block"),
        ('workspace = "x"', "line 1, workspace: this is a block"),
        ('workspace "a" { org = "x" }', "line 1, workspace: this takes a directory"),
        ('\nharness { org = "${var.x}" }', "line 2, org: no expressions"),
        ("harness { org = null }", "line 1, org: a text in quotes, a number or true or false"),
        ("harness { org = [1] }", "line 1, org: a text in quotes, a number or true or false"),
        ('harness {\n  org = "canary\n}', "line 2: a string has no end on its line"),
        ('harness {\n  org = "a"\n  org = "b"\n}', "line 3, org: it is set a second time"),
        ('harness { org = "a" }\nharness { org = "b" }', "line 2, org: it is set a second time"),
        ('org = "a"', "line 1, org: no such setting: it stands in harness { … }"),
        ('timeoutt = "a"', "it takes artefacts, ca_bundle, cost_file, direct, infracost, quiet"),
        ('harnes { org = "a" }', 'strict, timeout, harness { … }, workspace "id" { … }'),
        ("workspace {}", "line 1, workspace: this is a block"),
        ('workspace "a" "b" {}', "line 1, workspace: this is a block"),
        ('harness "x" {}', "line 1, harness: this is a block"),
        ("harness {\n org {}\n}", "line 2, org: a text in quotes"),
        ('harness {\n org = "canary" "b"\n}', "line 2, org: a text in quotes"),
        ('harness { org = "a\\u0000b" }', "line 1, org: printable characters"),
        ('harness { org = "a\\qb" }', "line 1, org: printable characters"),
        ('harness { org = "\\ud800" }', "line 1, org: printable characters"),
        ('harness { org = "\\U00110000" }', "line 1, org: printable characters"),
        ('workspace "a\\n" {}', "line 1, workspace: printable characters"),
        ("\0", "line 1: an argument or a block is expected"),
        ("harness {", "line 1: what opens here has no end"),
        ('workspace "a" { directory = ["x"] }', "directory: a text in quotes"),
        ("timeout = 99999", "line 1, timeout: '99999' is no number"),
        ('strict = "maybe"', "line 1, strict: 'maybe' is neither"),
        ("strict = maybe", "line 1, strict: a text in quotes"),
    ],
)
def test_a_file_with_something_wrong(place: Path, text: str, words: str) -> None:
    """The error for a settings file is one line that names the file, the line and the field, and
    quotes no secret value."""
    path = write_user(place, text)
    with pytest.raises(SettingError) as caught:
        load_settings(environment(place), str(place))
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = 1\n" * 20_000, b"[", b"\0"])
def test_a_file_that_is_no_settings_file(place: Path, content: bytes) -> None:
    """A file that can't be parsed at all is an error of one line with the file's name."""
    (place / ".tfevents.hcl").write_bytes(content)
    with pytest.raises(SettingError, match=r"^[^\n]+\.tfevents\.hcl[:,] [^\n]+$"):
        load_settings(environment(place), str(place))


SPELLINGS = r"""
/* one */ harness { /* two */
  account = /* three */ "a"  # four
  org     = "\u00fc\"$${x}%%{y}\\" /* five
  six */
  project = 12
} // seven
workspace w {
  tf_workspace = "default"
}
"""


def test_the_spellings_of_hcl(place: Path) -> None:
    """Comments anywhere, escapes, numbers, labels without quotes, CRLF and a byte order mark are
    understood."""
    (place / ".tfevents.hcl").write_text("\ufeff" + SPELLINGS.replace("\n", "\r\n"))
    found = load_settings(environment(place), str(place))
    assert (found.account, found.org) == ("a", 'ü"${x}%{y}\\')
    assert (found.project, found.workspace) == ("12", "w")
    assert found.sources["project"] == f"{place}/.tfevents.hcl, line 6, project"


READ = """
import os, sys
from tfevents.settings.load import load_settings
print(load_settings(os.environ, sys.argv[1]).org, "hcl2" in sys.modules)
"""


def test_every_run_reads_the_file_itself(place: Path) -> None:
    """Each run parses the settings file anew, without importing python-hcl2 and without a cache, so
    that a fresh container is not slower."""
    for org in ("one", "two"):
        write_project(place, f'harness {{ org = "{org}" }}')
        done = subprocess.run(
            [sys.executable, "-c", READ, place],
            env=environment(place),
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [org, "False"]
    assert not (place.parent / "home").exists()
