"""A table of what goes wrong around a run: servers, TLS, proxies and surroundings."""
