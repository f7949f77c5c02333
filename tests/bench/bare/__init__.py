"""The least that can take a record in: one route of the same framework, one row, one counter. Ours is held to it."""
