"""Finds in a product repository what would remove from a shared host more than that repository owns (H60)."""
