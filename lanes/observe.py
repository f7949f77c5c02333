"""Look at lanes: GitHub's listing of each scope once, and each host by its own programs. Changes nothing anywhere.

A part that cannot be read is unmeasured, with why; it is never absent.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from django.utils import timezone

from lanes import told
from lanes.baseline import Needs, baseline_of
from lanes.condition import why_not_at_work
from lanes.contracts import Baseline, Desired, Listing, Observed
from lanes.listings import Listings, NotListed
from lanes.models import Lane
from lanes.parts import Parts, parts_of
from lanes.told import NotTold
from launchplane.hosts.answers import Json
from launchplane.hosts.errors import AnswerUnusable, HostProblem
from launchplane.hosts.models import Host
from launchplane.hosts.programs import programs_of

RUNNER: Final = "launchplane-runner"
READ_SECONDS: Final = 90.0
HOSTS_AT_A_TIME: Final = 8
OF_HOST: Final = ("directory", "service", "baseline", "condition", "control_path")
# nothing of Launchplane's runs there, so nothing there could restart or remove the lane either
NO_PROGRAMS: Final = frozenset({"programs_missing", "version_skew"})
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Told:
    """What a host's program said of a lane, or why it did not."""

    facts: Mapping[str, Json] | None
    why: str = ""
    code: str = ""


@dataclass(slots=True)
class _Parts:
    """Parts as they are read, and why one is not."""

    unmeasured: dict[str, str] = field(default_factory=dict)

    def read(self, name: str, read: Callable[[], Part]) -> Part | None:
        try:
            return read()
        except NotTold as problem:
            self.unmeasured[name] = str(problem)
            return None


def observe(lanes: Sequence[Lane], *, listings: Listings | None = None) -> dict[Lane, Observed]:
    """Each of `lanes` as it is now. Hosts are asked side by side, and the lanes of one after another."""
    listings, seen_at = listings or Listings(), timezone.now()
    by_host: defaultdict[Host, list[Lane]] = defaultdict(list)
    for lane in lanes:
        by_host[lane.host].append(lane)
    with ThreadPoolExecutor(HOSTS_AT_A_TIME, thread_name_prefix="lanes") as pool:
        asked = pool.map(lambda item: _ask_host(*item), by_host.items())
        listed = {lane: listings.of(lane.scope) for lane in lanes}
        said = {lane: answer for answers in asked for lane, answer in answers.items()}
    return {lane: _observed(lane, listed[lane], said[lane], seen_at) for lane in lanes}


def _ask_host(host: Host, lanes: Iterable[Lane]) -> dict[Lane, Told]:
    """What its programs say of each lane. Where no answer comes, it is not asked about the next one."""
    answers: dict[Lane, Told] = {}
    silent: Told | None = None
    for lane in lanes:
        if silent is None:
            try:
                answers[lane] = _ask(host, lane.as_desired())
                continue
            except AnswerUnusable as problem:
                answers[lane] = Told(None, problem.sentence, problem.code)
                continue
            except HostProblem as problem:
                silent = Told(None, problem.sentence, problem.code)
        answers[lane] = silent
    return answers


def _ask(host: Host, desired: Desired) -> Told:
    """What its program tells of one lane. Raises HostProblem."""
    request: dict[str, Json] = {
        "verb": "observe",
        "lane": desired.lane_name,
        "user": desired.service_user,
        "root": desired.registration_root,
        "unit": desired.systemd_unit_name,
    }
    answer = programs_of(host).ask(RUNNER, request, timeout_seconds=READ_SECONDS)
    if not answer.ok:
        return Told(None, f"The host does not tell of it ({answer.code}): {answer.summary}", answer.code)
    return Told(answer.facts)


def _observed(lane: Lane, listed: Listing | NotListed, said: Told, seen_at: datetime) -> Observed:
    """What both say, put together; then what follows from both: the baseline, and why it is not at work."""
    desired, parts = lane.as_desired(), _Parts()
    if isinstance(listed, NotListed):
        parts.unmeasured["listing"] = listed.why
    facts = said.facts
    if facts is None:
        parts.unmeasured |= dict.fromkeys(OF_HOST, said.why)
    seen = Observed(
        lane_name=desired.lane_name,
        listing=None if isinstance(listed, NotListed) else listed,
        directory=None if facts is None else parts.read("directory", lambda: told.directory(desired, facts)),
        service=None if facts is None else parts.read("service", lambda: told.service(facts)),
        baseline=None,
        condition="none",
        unmeasured={},
        seen_at=seen_at,
    )
    places = parts_of(desired, seen)
    why = why_not_at_work(facts or {}, places)
    if facts is not None and why.unread:
        parts.unmeasured["condition"] = why.unread
    more = {
        "baseline": None if facts is None else parts.read("baseline", lambda: _baseline(lane, facts, places, seen)),
        "condition": why.condition,
        "cause": why.cause,
        "control_path": _control_path(parts, said),
    }
    return seen.model_copy(update=more | {"unmeasured": parts.unmeasured})


def _baseline(lane: Lane, facts: Mapping[str, Json], places: Parts, seen: Observed) -> Baseline:
    needs = Needs(tuple(lane.host.runner_roots), lane.host.minimum_free_bytes)
    return baseline_of(lane.as_desired(), facts, needs=needs, parts=places, service=seen.service)


def _control_path(parts: _Parts, said: Told) -> bool | None:
    facts = said.facts
    if facts is None:
        return False if said.code in NO_PROGRAMS else None
    return parts.read("control_path", lambda: told.control_path(facts))
