"""How organizations, certificates and server profiles read: from rows to words. Pure: no query, no request."""
