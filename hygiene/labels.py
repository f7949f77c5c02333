"""Does a resource carry the label an operator named: `key`, or `key=value`? Pure."""

from collections.abc import Mapping


def carries(labels: Mapping[str, str], wanted: str) -> bool:
    """True if `labels` has the key of `wanted`, and its value where it names one. An empty `wanted` is never there."""
    name, equals, value = wanted.partition("=")
    return bool(name) and name in labels and (not equals or labels[name] == value)
