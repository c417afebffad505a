"""The web server that all simulated web systems share: TLS, keep-alive, faults, the list of calls."""
