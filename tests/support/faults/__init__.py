"""The table of what can go wrong around a run: servers, TLS, proxies and the machine."""
