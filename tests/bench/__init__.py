"""Measurements, run by `script/bench`: ratios against the engine's own client, side by side in one run."""
