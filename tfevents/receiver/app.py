"""The receiver as one ASGI application: the service's paths, and its own pages."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tfevents.receiver.api import Api
from tfevents.receiver.faults import Faults
from tfevents.receiver.routes import ROUTES, TROUBLE
from tfevents.receiver.store import Store

HOSTS = ("127.0.0.1", "localhost")
"""No page of somebody else's may read ours by a name that it lets point to us."""


def make_app(store: Store, faults: Faults) -> Starlette:
    """The pages; every other path is the contract's."""
    trusted = Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    app = Starlette(routes=ROUTES, middleware=[trusted], exception_handlers=TROUBLE)
    app.state.store = store
    app.router.default = Api(store, faults)
    return app
