"""Plans of lane changes: from what is wanted and what was seen to the exact steps that people approve. Pure."""
