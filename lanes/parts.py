"""What each place says of a lane, in one word and a sentence: GitHub, its directory, its unit. Pure.

An id that was read settles whose a thing is; a name never does. What was not read, or is of something else than
asked, is "unread".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from lanes.contracts import Desired, Directory, GithubRunner, Listing, Observed, Service
from lanes.names import folded, foreign_labels, missing_labels, same

Registration = Literal["unread", "none", "ours", "foreign", "ambiguous"]
Folder = Literal["unread", "unsafe", "none", "empty", "ours", "foreign"]
Unit = Literal["unread", "none", "active", "inactive", "foreign"]

# every state that systemd has for a unit but "active"; any other word is one that nobody understands
NOT_ACTIVE = ("inactive", "failed", "activating", "deactivating", "reloading", "refreshing", "maintenance")


class Listed:
    """The runners of one listing, to be found by name and by id: one pass for all lanes of a scope."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self._named: dict[str, list[GithubRunner]] = {}
        self._by_id: dict[int, GithubRunner] = {}
        for runner in listing.runners:
            self._named.setdefault(folded(runner.name), []).append(runner)
            self._by_id[runner.id] = runner
        self.has_an_id_twice = len(self._by_id) < len(listing.runners)

    def named(self, name: str) -> tuple[GithubRunner, ...]:
        """Every runner of that name, in whatever case."""
        return tuple(self._named.get(folded(name), ()))

    def with_id(self, runner_id: int | None) -> GithubRunner | None:
        """The runner of that id, whatever its name."""
        return None if runner_id is None else self._by_id.get(runner_id)


@dataclass(frozen=True, slots=True)
class Parts:
    """A word for each place, and `why` with a sentence for each that needs one, by the place's name.

    `runner` is the one at GitHub that is meant: None unless there is exactly one. `labels` says what is wrong with its
    labels, a sentence each.
    """

    registration: Registration
    folder: Folder
    unit: Unit
    runner: GithubRunner | None
    labels: tuple[str, ...]
    why: Mapping[str, str]


def parts_of(desired: Desired, observed: Observed, listed: Listed | None = None) -> Parts:
    """The words for a lane. `listed` is the index of the observation's listing, if there is one already."""
    if observed.listing is not None and (listed is None or listed.listing is not observed.listing):
        listed = Listed(observed.listing)
    registration, runner, of_github = _registration(desired, observed, listed)
    folder, of_folder = _folder(desired, observed)
    unit, of_unit = _unit(desired, observed)
    sentences = {"listing": of_github, "directory": of_folder, "service": of_unit}
    why = {name: sentence for name, sentence in sentences.items() if sentence}
    return Parts(registration, folder, unit, runner, _wrong_labels(desired, runner), why)


def _registration(
    desired: Desired, observed: Observed, listed: Listed | None
) -> tuple[Registration, GithubRunner | None, str]:
    if listed is None:
        return "unread", None, _unread(observed, "listing")
    if why := _proves_nothing(desired, observed, listed):
        return "unread", None, why
    return _whose(desired, listed)


def _proves_nothing(desired: Desired, observed: Observed, listed: Listed) -> str:
    """Why nothing follows from a listing: it is of something else, or a runner may be missing from it."""
    listing = listed.listing
    if observed.lane_name != desired.lane_name:
        return f"What was observed is of the lane {observed.lane_name}"
    if not same(listing.scope, desired.scope):
        return f"The listing is of {listing.scope}"
    if not listing.complete or len(listing.runners) != listing.total_count or listed.has_an_id_twice:
        why = listing.why_incomplete or f"{len(listing.runners)} of {listing.total_count} runners were listed"
        return f"The listing is not complete: {why}"
    return ""


def _whose(desired: Desired, listed: Listed) -> tuple[Registration, GithubRunner | None, str]:
    """Only the sole runner of that name is meant, and our id may have no other name."""
    named, own = listed.named(desired.lane_name), listed.with_id(desired.agent_id)
    if len(named) > 1:
        return "ambiguous", None, f"GitHub lists {len(named)} runners of that name: {_ids(named)}"
    if own is not None and own not in named:
        return "ambiguous", None, f"GitHub lists our runner {own.id} under another name: {own.name}"
    if own is None and named:
        return "foreign", named[0], f"GitHub's runner of that name has the id {named[0].id}: {_ours(desired)}"
    return ("none", None, "") if own is None else ("ours", own, "")


def _wrong_labels(desired: Desired, runner: GithubRunner | None) -> tuple[str, ...]:
    """Nothing is known of the labels of a runner that is not known."""
    if runner is None:
        return ()
    found = {
        "Missing": missing_labels(desired.labels, runner.labels),
        "Unwanted": foreign_labels(desired.labels, runner.labels),
    }
    return tuple(f"{what}: {', '.join(labels)}." for what, labels in found.items() if labels)


def _folder(desired: Desired, observed: Observed) -> tuple[Folder, str]:
    directory = observed.directory
    if directory is None:
        return "unread", _unread(observed, "directory")
    if directory.path != desired.directory:
        return "unread", f"What was looked at is {directory.path}"
    if not directory.exists:
        return "none", ""
    if directory.problem:
        return "unsafe", directory.problem
    return _configured(desired, directory)


def _configured(desired: Desired, directory: Directory) -> tuple[Folder, str]:
    """Ours is only a directory whose `.runner` has our id, our name and our scope."""
    if not directory.configured:
        return "empty", ""
    if directory.agent_id is None:
        return "unread", "Its .runner could not be understood"
    why = _another_agent(desired, directory)
    return ("foreign", why) if why else ("ours", "")


def _another_agent(desired: Desired, directory: Directory) -> str:
    if directory.agent_id != desired.agent_id:
        return f"Its .runner has the id {directory.agent_id}: {_ours(desired)}"
    if not same(directory.agent_name, desired.lane_name):
        return f"Its .runner is called {directory.agent_name}"
    if not same(urlsplit(directory.github_url).path.strip("/"), desired.scope):
        return f"Its .runner belongs to {directory.github_url}"
    return ""


def _unit(desired: Desired, observed: Observed) -> tuple[Unit, str]:
    service = observed.service
    if service is None:
        return "unread", _unread(observed, "service")
    if service.unit != desired.systemd_unit_name:
        return "unread", f"What was looked at is {service.unit}"
    if not service.exists:
        return "none", ""
    why = _runs_another(desired, service)
    return ("foreign", why) if why else _state(service)


def _state(service: Service) -> tuple[Unit, str]:
    if service.active_state == "active":
        return "active", ""
    if service.active_state in NOT_ACTIVE:
        return "inactive", ""
    return "unread", f"It is in a state that nobody knows: {service.active_state or 'none was told'}"


def _runs_another(desired: Desired, service: Service) -> str:
    """A unit of the lane's name that runs anything but the lane's own runner is somebody else's (M48, M49)."""
    if service.exec_start != f"{desired.directory}/run.sh":
        return f"It runs {service.exec_start or 'nothing'}"
    if service.working_directory != desired.directory:
        return f"It works in {service.working_directory or 'no folder of its own'}"
    return ""


def _unread(observed: Observed, part: str) -> str:
    return observed.unmeasured.get(part) or "Nobody looked"


def _ours(desired: Desired) -> str:
    return "none is ours so far" if desired.agent_id is None else f"ours is {desired.agent_id}"


def _ids(runners: tuple[GithubRunner, ...]) -> str:
    return ", ".join(str(runner.id) for runner in runners)
