"""Microsoft Entra ID: discovery, tokens, sign-in pages; and the tenants with their directory."""
