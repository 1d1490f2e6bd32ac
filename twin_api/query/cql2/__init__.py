"""CQL2 filters (OGC 21-065r2): a text or a JSON tree becomes a condition on what a collection shows."""
