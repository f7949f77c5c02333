"""What an engine says while it pulls or builds, counted. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

LOADED, THERE = "Pull complete", "Already exists"
UP_TO_DATE = "Status: Image is up to date"
STEP = re.compile(r"#(\d+) \[(?:[^\]]+ )?\d+/\d+\] (?!FROM )\S")
CACHED = re.compile(r"#(\d+) CACHED")


class Layers(NamedTuple):
    """Layers that came over the wire, and layers that were there."""

    loaded: int
    already_there: int


class Steps(NamedTuple):
    """Steps of a build that ran, and steps that did not have to."""

    run: int
    cached: int


def pulled_layers(messages: Iterable[Mapping[str, Any]], in_image: int) -> Layers | None:
    """Count the layers of a pull of an image with `in_image` layers; None if what was said does not add up to them.

    An engine that finds the image up to date says so, and nothing of its layers.
    """
    said = [str(message.get("status", "")) for message in messages]
    loaded, there = said.count(LOADED), said.count(THERE)
    if not loaded and not there and any(status.startswith(UP_TO_DATE) for status in said):
        return Layers(0, in_image)
    return Layers(loaded, there) if loaded + there == in_image else None


def pull_error(messages: Iterable[Mapping[str, Any]]) -> str | None:
    """Why a pull failed in the middle: the answer had begun by then, with status 200."""
    return next((str(message["error"]) for message in messages if "error" in message), None)


def build_steps(text: str) -> Steps | None:
    """Count the steps in what BuildKit prints with `--progress=plain`; None if there is none.

    What a step itself prints stands behind a time (`#7 0.102 …`), so it cannot be taken for one of these lines.
    """
    lines = text.splitlines()
    steps = {match[1] for line in lines if (match := STEP.match(line))}
    cached = {match[1] for line in lines if (match := CACHED.fullmatch(line.rstrip()))} & steps
    return Steps(len(steps) - len(cached), len(cached)) if steps else None


def shared_layers(layers: tuple[str, ...], others: Iterable[tuple[str, ...]]) -> int:
    """How many of `layers` (base first) the one of `others` has that has most of them in common.

    Engines share a layer only together with all that is below it.
    """
    return max((_in_common(layers, other) for other in others), default=0)


def _in_common(layers: tuple[str, ...], other: tuple[str, ...]) -> int:
    for number, (own, theirs) in enumerate(zip(layers, other, strict=False)):
        if own != theirs:
            return number
    return min(len(layers), len(other))
