"""Plans of clean-ups: from what was observed and what operators said to the exact steps that people approve. Pure."""
