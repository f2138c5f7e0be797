"""The receiver as one ASGI application: the service's API, and the receiver's own web pages."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tfevents.receiver.api import Api
from tfevents.receiver.faults import Faults
from tfevents.receiver.routes import EXCEPTION_HANDLERS, ROUTES
from tfevents.receiver.store import Store

HOSTS = ("127.0.0.1", "localhost")
"""The host names that are served, against DNS rebinding: a foreign web page could otherwise read
ours through a host name of its own that resolves to 127.0.0.1."""


def make_app(store: Store, faults: Faults) -> Starlette:
    """The application: ROUTES are the web pages, every other path is handled by the API."""
    trusted = Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    app = Starlette(routes=ROUTES, middleware=[trusted], exception_handlers=EXCEPTION_HANDLERS)
    app.state.store = store
    app.router.default = Api(store, faults)
    return app
