"""What is wanted of a lane beside what was seen of it, line by line, each with whether the two agree. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lanes.contracts import Baseline, Desired, Directory, GithubRunner, Service
from lanes.names import foreign_labels, missing_labels
from launchplane.words import NOT_MEASURED

NO_RUNNER = "there is no runner of ours"
NOT_OURS = "No runner there is known to be ours."
Mark = Literal["same", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class Side:
    """One line: on each side texts, one under the other. `why` says why the seen is not what it must be."""

    name: str
    wanted: tuple[str, ...]
    seen: tuple[str, ...]
    mark: Mark
    why: str = ""


@dataclass(frozen=True, slots=True)
class SeenParts:
    """What was seen, whether it comes from a look or from the facts of a plan."""

    registration: str
    folder: str
    unit: str
    why: dict[str, str]
    runner: GithubRunner | None
    directory: Directory | None
    service: Service | None
    baseline: Baseline | None
    unmeasured: dict[str, str]


def sides(desired: Desired, seen: SeenParts) -> tuple[Side, ...]:
    """Every line. What was not read is "not measured", with why, and never agrees."""
    return tuple(_sides(desired, seen))


def _sides(desired: Desired, seen: SeenParts) -> Iterator[Side]:
    yield _registration(desired, seen)
    yield _online(seen)
    yield _labels(desired, seen)
    yield _directory(desired, seen)
    yield _unit(desired, seen)
    yield _process(desired, seen)
    yield _baseline(seen)


def _registration(desired: Desired, seen: SeenParts) -> Side:
    name, why = "Runner at GitHub", seen.why.get("listing", "")
    wanted = ("one of ours",) if desired.agent_id is None else (f"number {desired.agent_id}, which is ours",)
    if seen.registration in ("unread", "ambiguous"):
        return Side(name, wanted, (NOT_MEASURED if seen.registration == "unread" else "not clear",), "unknown", why)
    if seen.registration == "none":
        return Side(name, wanted, ("none of its name",), "differs")
    number = "" if seen.runner is None else f"number {seen.runner.id}"
    if seen.registration == "ours":
        return Side(name, wanted, (f"{number}, which is ours",), "same")
    return Side(name, wanted, (f"{number}, which is not ours",), "differs", why)


def _online(seen: SeenParts) -> Side:
    name, wanted = "Connected", ("online",)
    if seen.registration != "ours" or seen.runner is None:
        if seen.registration == "none":
            return Side(name, wanted, (NO_RUNNER,), "differs")
        return Side(name, wanted, (NOT_MEASURED,), "unknown", NOT_OURS)
    if not seen.runner.online:
        return Side(name, wanted, ("offline",), "differs")
    return Side(name, wanted, ("online, with a job" if seen.runner.busy else "online, without a job",), "same")


def _labels(desired: Desired, seen: SeenParts) -> Side:
    name = "Labels"
    if seen.registration == "none":
        return Side(name, desired.labels, (NO_RUNNER,), "differs")
    if seen.registration != "ours" or seen.runner is None:
        return Side(name, desired.labels, (NOT_MEASURED,), "unknown", NOT_OURS)
    missing = missing_labels(desired.labels, seen.runner.labels)
    foreign = foreign_labels(desired.labels, seen.runner.labels)
    if not missing and not foreign:
        return Side(name, desired.labels, seen.runner.labels, "same")
    said = {"Missing": missing, "Nobody wants": foreign}
    why = " ".join(f"{what}: {', '.join(labels)}." for what, labels in said.items() if labels)
    return Side(name, desired.labels, seen.runner.labels, "differs", why)


def _directory(desired: Desired, seen: SeenParts) -> Side:
    name, wanted = "Directory", (desired.directory, "configured as our runner")
    why = seen.why.get("directory", "")
    match seen.folder:
        case "unread":
            return Side(name, wanted, (NOT_MEASURED,), "unknown", why)
        case "none":
            return Side(name, wanted, ("not there",), "differs")
        case "empty":
            return Side(name, wanted, ("there, not configured",), "differs")
        case "ours":
            return Side(name, wanted, (_path(desired, seen), "configured as our runner"), "same")
        case "unsafe":
            return Side(name, wanted, ("not safe to use",), "differs", why)
        case _:
            return Side(name, wanted, (_path(desired, seen), "configured as another runner"), "differs", why)


def _path(desired: Desired, seen: SeenParts) -> str:
    return desired.directory if seen.directory is None else seen.directory.path


def _unit(desired: Desired, seen: SeenParts) -> Side:
    name, wanted = "Service", (desired.systemd_unit_name, "active, enabled, as Launchplane writes it")
    service, why = seen.service, seen.why.get("service", "")
    if service is None or seen.unit == "unread":
        return Side(name, wanted, (NOT_MEASURED,), "unknown", why)
    if not service.exists:
        return Side(name, wanted, ("no such unit",), "differs")
    more = f" ({service.sub_state})" if service.sub_state not in ("", service.active_state) else ""
    state = f"{service.active_state}{more}"
    written = "as Launchplane writes it" if service.ours else "written by somebody else, or long ago"
    stands = f"{state}, {'enabled' if service.enabled else 'not enabled'}, {written}"
    as_wanted = service.active_state == "active" and service.enabled and service.ours and seen.unit != "foreign"
    return Side(name, wanted, (service.unit, stands), "same" if as_wanted else "differs", why)


def _process(desired: Desired, seen: SeenParts) -> Side:
    name, wanted, service = "Runs as", (desired.service_user,), seen.service
    if service is None:
        return Side(name, wanted, (NOT_MEASURED,), "unknown", seen.why.get("service", ""))
    if not service.process_user:
        if service.active_state == "active":
            return Side(name, wanted, (NOT_MEASURED,), "unknown", "Whom its process runs as was not read.")
        return Side(name, wanted, ("nobody: it has no process",), "differs")
    return Side(name, wanted, (service.process_user,), "same" if service.process_user == wanted[0] else "differs")


def _baseline(seen: SeenParts) -> Side:
    name, wanted, baseline = "Baseline", ("every check holds",), seen.baseline
    if baseline is None or not baseline.checks:
        return Side(name, wanted, (NOT_MEASURED,), "unknown", seen.unmeasured.get("baseline", "Nobody looked."))
    short = [check for check, state in baseline.checks.items() if state is not True]
    if not short:
        return Side(name, wanted, (f"all {len(baseline.checks)} checks hold",), "same")
    lines = tuple(
        f"{check.replace('_', ' ')}: {baseline.reasons.get(check) or _said(baseline.checks[check])}" for check in short
    )
    wrong = any(state is False for state in baseline.checks.values())
    return Side(name, wanted, lines, "differs" if wrong else "unknown")


def _said(state: bool | None) -> str:
    return "not as it must be" if state is False else "not read"
