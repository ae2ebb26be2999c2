"""Our own tables: schema `reconciler`."""
