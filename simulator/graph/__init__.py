"""Microsoft Graph v1.0: organization, licences, service principals, users, batches."""
