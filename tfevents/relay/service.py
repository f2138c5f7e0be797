"""One relay from its settings to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from tfevents.errors import SettingError
from tfevents.receiver.server import listen, run_server, url_of
from tfevents.relay.app import make_app
from tfevents.relay.claims import OwnClaims
from tfevents.relay.database import open_own_database
from tfevents.relay.intake import Intake
from tfevents.relay.keys import MAKE_SECRET, SECRET, RunnersKeys
from tfevents.relay.senders import Senders
from tfevents.settings.load import load_settings


class Options(Struct, frozen=True):
    """What a relay is told. `forward`: the URL of the server that events go on to."""

    forward: str
    port: int
    home: str


def run_relay(options: Options, env: Mapping[str, str], announce: Callable[[str], None]) -> None:
    """Until SIGINT or SIGTERM; `announce` is called once it listens.

    Raises SettingError, OSError and StoreUnavailable.
    """
    settings = load_settings(env, options.home, flags={"url": options.forward})
    keys = _find_keys(env)
    with listen(options.port) as listener, open_own_database(options.home) as engine:
        senders = Senders(engine, OwnClaims(engine), keys, settings)
        app = make_app(Intake(engine, keys, senders), senders)
        announce(f"tfevents relays {url_of(listener)} to {settings.url}{settings.api_path}")
        run_server(app, listener)


def _find_keys(env: Mapping[str, str]) -> RunnersKeys:
    secrets = env.get(SECRET, "").strip()
    if not secrets:
        words = "keys are kept encrypted while their events wait"
        raise SettingError(f"set {SECRET}, {words}; make one: {MAKE_SECRET}")
    return RunnersKeys(secrets)
