"""The Dynamics 365 Web API, with organization databases and the mailbox tests behind it."""
