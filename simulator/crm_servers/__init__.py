"""CRM servers: WSMan/PSRP endpoints that serve the contract of the SssPortal JEA endpoint."""
