"""OData: metadata documents, filters and the other query options, batches."""
