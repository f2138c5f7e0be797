"""A checkout's settings file may say which workspace it belongs to, but not where the API key is
sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfevents.errors import SettingError
from tfevents.settings import file_format, files
from tfevents.settings.file_format import CHECKOUT_FIELDS, HARNESS_FIELDS, TOP_LEVEL_FIELDS
from tfevents.settings.load import gather_settings, load_settings
from tfevents.settings.model import Settings

KEY = "pat.acct.token-canary.secret-canary"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout; home and the user's configuration are beside it."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    return checkout


def environment(place: Path, **more: str) -> dict[str, str]:
    """The variables for home and the user's configuration, and these."""
    config = str(place.parent / "config")
    return {"TFEVENTS_HOME": str(place.parent / "home"), "XDG_CONFIG_HOME": config, **more}


def write_user(place: Path, text: str) -> Path:
    """Writes the user's own settings file; returns its path."""
    path = place.parent / "config" / "tfevents" / "config.hcl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_shared(place: Path, name: str, value: str) -> Path:
    """Writes a checkout's settings file with one field, in its second line; returns its path."""
    line = f'{name} = "{value}"\n'
    path = place / ".tfevents.hcl"
    path.write_text(
        f"harness {{\n{line}}}\n" if name in file_format.HARNESS_FIELDS else "\n" + line
    )
    return path


THEIRS = {
    **{"url": "https://evil.example", "api_path": "/evil", "api_key": KEY, "timeout": "3600"},
    **{"api_key_file": "key", "ca_bundle": "ca.pem", "provisioner": "./x.sh", "infracost": "1"},
    **{"strict": "1", "quiet": "1", "direct": "1", "artefacts": "plan,state"},
}


def test_every_field_is_in_one_of_the_two_tables() -> None:
    """The fields in THEIRS are exactly those that a checkout's file may not set."""
    assert {*THEIRS} == (HARNESS_FIELDS | TOP_LEVEL_FIELDS) - CHECKOUT_FIELDS


@pytest.mark.parametrize("name", THEIRS)
def test_what_is_not_a_checkouts_to_say_is_one_line(place: Path, name: str) -> None:
    """A field that a checkout's file may not set is ignored; one line names the file, line and
    field, and where to set it instead."""
    (place / "key").write_text(KEY)
    (place / "ca.pem").write_text("")
    path = write_shared(place, name, THEIRS[name])
    found = load_settings(environment(place), str(place))
    (note,) = found.notes
    assert note.startswith(f"{path}, line 2, {name} is not used: ")
    assert f"TFEVENTS_{name.upper()}" in note
    assert ("config.hcl" in note) is (name != "provisioner")
    assert "canary" not in note
    bare = Settings(home=found.home)
    assert [getattr(found, each) for each in KEPT] == [getattr(bare, each) for each in KEPT]


KEPT = (
    *("url", "api_path", "api_key", "account", "timeout", "ca_bundle", "infracost", "artefacts"),
    *("strict", "direct", "quiet"),
)


def test_several_of_them_are_one_line_as_well(place: Path) -> None:
    """Several such fields are named in one line, each with its place; the other fields of the file
    are used."""
    (place / ".tfevents.hcl").write_text('quiet = true\nharness {\n  url = "x"\n  org = "o"\n}\n')
    found = load_settings(environment(place), str(place))
    (note,) = found.notes
    assert f"{place}/.tfevents.hcl, line 1, quiet, line 3, url is not used" in note
    assert found.org == "o"


def test_a_new_field_is_not_a_checkouts_to_say(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field that is added to the settings is not accepted from a checkout's file, unless
    CHECKOUT_FIELDS lists it."""
    monkeypatch.setattr(file_format, "TOP_LEVEL_FIELDS", TOP_LEVEL_FIELDS | {"brand_new"})
    path = write_shared(place, "brand_new", "x")
    values = files.find_values(environment(place), str(place), "default")
    assert [file.fields for file in values.files] == [{}]
    assert values.notes[0].startswith(f"{path}, line 2, brand_new is not used: ")
    write_user(place, 'brand_new = "y"')
    user = files.find_values(environment(place), str(place), "default").files[-1]
    assert user.fields["brand_new"].text == "y"


def test_the_users_own_file_says_all_of_it(place: Path) -> None:
    """The user's own file may set every field except `provisioner`, which is needed before any file
    is read."""
    for name, value in THEIRS.items():
        line = f'{name} = "{value}"'
        path = write_user(place, f"harness {{\n{line}\n}}" if name in HARNESS_FIELDS else line)
        (path.parent / "key").write_text(KEY)
        (path.parent / "ca.pem").write_text("")
        found = load_settings(environment(place), str(place))
        if name == "provisioner":
            assert found.notes == (f"{path}, line 1, {name} is not used: set TFEVENTS_PROVISIONER",)
        else:
            assert found.notes == ()
            assert found.sources[name].startswith(str(path))


# A key is sent to a server that is set in the same place as the key or in a stronger one


EVIL, GOOD = "https://evil.example", "https://good.example"
PLACES = ("TFEVENTS_", "HARNESS_", "config.hcl")


def named(place: Path, **fields: str) -> dict[str, str]:
    """The environment, and the user's file, with each field set in the given one of PLACES ("value
    in place")."""
    text, env = "", environment(place)
    for name, (value, where) in {n: v.split(" in ") for n, v in fields.items()}.items():
        if where == "config.hcl":
            text += f'{name} = "{value}"\n'
        else:
            env[where + name.upper()] = value
    write_user(place, f"harness {{\n{text}}}")
    return env


@pytest.mark.parametrize("url", PLACES)
@pytest.mark.parametrize("key", PLACES)
def test_the_key_and_its_server_come_from_one_place_or_the_servers_is_stronger(
    place: Path, key: str, url: str
) -> None:
    """For each pair of places, the key is sent to a server that is set in the same or a stronger
    place, and to none that is set in a weaker one."""
    env = named(place, url=f"{EVIL} in {url}", api_key=f"{KEY} in {key}")
    found, wrong = gather_settings(env, str(place))
    if PLACES.index(url) <= PLACES.index(key):
        assert found.api_key is not None
        assert wrong == []
    else:
        assert found.api_key is None
        (error,) = wrong
        assert "is not sent there: set TFEVENTS_URL beside it" in str(error)
        assert "canary" not in str(error)
    assert found.account == "acct"


@pytest.mark.parametrize("key", PLACES)
def test_a_key_goes_to_the_default_unless_somebody_wants_another(place: Path, key: str) -> None:
    """The key is sent to the default server. If a checkout or Harness' variable names the same
    server, that changes nothing; if a checkout names another one, the key is sent to neither, and
    an error says so."""
    env = named(place, api_key=f"{KEY} in {key}")
    assert load_settings(env, str(place)).api_key is not None
    for theirs in ("https://app.harness.io/", "https://app.harness.io/gateway", " "):
        write_shared(place, "url", theirs)
        assert load_settings(env, str(place)).api_key is not None
        assert load_settings({**env, "HARNESS_ENDPOINT": theirs}, str(place)).api_key
    for theirs in ("https://app.harness.io.evil", "https://app.harness.io:444", "nonsense"):
        write_shared(place, "url", theirs)
        with pytest.raises(SettingError, match="is not sent there"):
            load_settings(env, str(place))
    path = write_shared(place, "url", EVIL)
    with pytest.raises(SettingError, match=f"^{path}, line 2, url: the key of "):
        load_settings(env, str(place))
    assert load_settings({**env, "TFEVENTS_URL": GOOD}, str(place)).url == GOOD


def test_a_key_file_is_a_key(place: Path) -> None:
    """A key from a file is sent to the same servers as a key given by value."""
    (place.parent / "key").write_text(KEY)
    file = f"{place.parent / 'key'} in TFEVENTS_"
    with pytest.raises(SettingError, match="the key of TFEVENTS_API_KEY_FILE is not sent there"):
        load_settings(named(place, url=f"{EVIL} in HARNESS_", api_key_file=file), str(place))
    assert load_settings(
        named(place, url=f"{EVIL} in TFEVENTS_", api_key_file=file), str(place)
    ).api_key


# A broken settings file does not affect the other files


def test_a_broken_file_costs_itself_alone(place: Path) -> None:
    """If a checkout's file is broken, the other files, such as the user's `strict`, are read
    nevertheless."""
    (place / ".tfevents.hcl").write_text("harness {")
    (place / ".harness").mkdir()
    (place / ".harness" / "workspace.yaml").write_text("org_id: theirs")
    write_user(place, "strict = true")
    found, wrong = gather_settings(environment(place), str(place))
    assert (found.strict, found.org) == (True, "theirs")
    assert len(wrong) == 1


@pytest.mark.parametrize("path", ["../cost.json", "~/cost.json", "/etc/passwd", "link.json"])
def test_a_cost_file_is_inside_the_checkout(place: Path, path: str) -> None:
    """A checkout's `cost_file` must be inside of the checkout, with links resolved; the user's own
    file may name any path."""
    (place.parent / "cost.json").write_text("{}")
    (place / "link.json").symlink_to("../cost.json")
    write_shared(place, "cost_file", path)
    with pytest.raises(SettingError, match="line 2, cost_file: a checkout's cost file is in it"):
        load_settings(environment(place), str(place))
    write_shared(place, "cost_file", "reports/cost.json")
    assert load_settings(environment(place), str(place)).cost_file == str(
        place / "reports/cost.json"
    )
    (place / ".tfevents.hcl").unlink()
    write_user(place, 'cost_file = "/etc/passwd"')
    assert load_settings(environment(place), str(place)).cost_file == "/etc/passwd"
