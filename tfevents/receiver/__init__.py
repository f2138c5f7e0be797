"""The contract's server side, run locally: accepts events, stores them and shows them on pages."""
