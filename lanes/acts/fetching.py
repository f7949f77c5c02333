"""The step that brings GitHub's runner to a lane's directory: downloaded here, checked, sent as the payload."""

from collections.abc import Mapping
from mmap import ACCESS_READ, mmap
from typing import Final

from lanes.acts import package, requests
from lanes.acts.at_hand import LaneAtHand
from lanes.acts.outcomes import of_answer, unknown
from lanes.acts.package import Architecture
from launchplane.changes.contracts import StepOutcome
from launchplane.hosts.answers import Json
from launchplane.hosts.errors import AnswerLost

# as `uname -m` says it, and as GitHub calls the package
ARCHITECTURES: Final[Mapping[str, Architecture]] = {"x86_64": "x64", "aarch64": "arm64", "armv7l": "arm"}


def fetch(at: LaneAtHand) -> StepOutcome:
    """The newest package that GitHub offers for such a host, unless it lies there whole already."""
    download = package.chosen(at.github.downloads(at.desired.scope), architecture(at.host.facts(at.desired)))
    found = package.fetched(download)
    asking = requests.asking("fetch", at.desired, size_bytes=found.size_bytes, sha256=found.sha256)
    try:
        with found.path.open("rb") as file:
            content = mmap(file.fileno(), 0, access=ACCESS_READ)
        outcome = of_answer(at.host.ask(asking, payload=content))
    except AnswerLost as lost:
        return unknown(lost.sentence, {"code": lost.code, "sha256": found.sha256})
    more = {"sha256": found.sha256, "size_bytes": found.size_bytes, "filename": download.filename}
    return outcome.model_copy(update={"evidence": {**outcome.evidence, **more}})


def offered(at: LaneAtHand) -> frozenset[str]:
    """The hashes of all packages that GitHub offers now."""
    return frozenset(one.sha256_checksum for one in at.github.downloads(at.desired.scope) if one.sha256_checksum)


def architecture(facts: Mapping[str, Json]) -> Architecture:
    """Of the host that told `facts`. Raises PackageProblem for a machine that GitHub has no runner for."""
    machine = facts.get("machine")
    if not isinstance(machine, str) or machine not in ARCHITECTURES:
        raise package.PackageProblem("no_package", f"GitHub has no runner for a machine of the kind {machine!r:.40}.")
    return ARCHITECTURES[machine]
