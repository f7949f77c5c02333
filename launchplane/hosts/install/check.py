"""`hosts check`: whether a host can be looked at and changed as its record says, and what to do where it can't."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from launchplane.hosts.answers import Json, ProgramAnswer
from launchplane.hosts.errors import HostProblem
from launchplane.hosts.install.lanes import LaneThere, lanes_on
from launchplane.hosts.models import Host
from launchplane.hosts.programs import HeldElsewhere, Programs, programs_of
from launchplane.problems import Problem

SECONDS: Final = 60.0
UNIT, RUNNER = "launchplane-unit", "launchplane-runner"
# what a program says that is there, and was asked for something that it does not have
THERE: Final = "unknown_verb"


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at. Where it is not as it has to be, `next_step` says what to do."""

    what: str
    ok: bool
    summary: str
    next_step: str = ""


def check_programs(host: Host) -> list[Checked]:
    """Everything beyond the engine; nothing for a host of this machine without programs. Raises `version_skew`."""
    programs = programs_of(host)
    return list(_checks(host, programs)) if programs.are_expected else []


def _checks(host: Host, programs: Programs) -> Iterator[Checked]:
    yield _session(host, programs)
    yield _unit(host, programs)
    for lane in lanes_on(host):
        yield _lane(host, programs, lane)


def _session(host: Host, programs: Programs) -> Checked:
    """That it can be held for a change. It is let go at once."""
    try:
        with programs.session():
            return Checked("session", True, "The host can be held for the length of a change.")
    except HeldElsewhere as busy:
        return Checked("session", True, busy.sentence)
    except HostProblem as problem:
        return Checked("session", False, problem.sentence, _install(host))


def _unit(host: Host, programs: Programs) -> Checked:
    """That root's part can be started. It has no verb that only looks, so it is asked for one that it lacks."""
    answer = _ask(host, programs, UNIT, {"verb": "observe"})
    if isinstance(answer, Checked):
        return answer
    ok = answer.code == THERE
    return Checked(UNIT, ok, f"{UNIT} can be started." if ok else answer.summary, "" if ok else _install(host))


def _lane(host: Host, programs: Programs, lane: LaneThere) -> Checked:
    """That the host's programs know the lane as it is on record, and find its folder safe."""
    what = f"lane {lane.name}"
    request: dict[str, Json] = {"verb": "observe", "lane": lane.name, "user": lane.user}
    answer = _ask(host, programs, RUNNER, {**request, "root": lane.root, "unit": lane.unit}, what)
    if isinstance(answer, Checked):
        return answer
    if not answer.ok:
        return Checked(what, False, f"The host says: {answer.summary}", _install(host))
    directory = answer.facts.get("directory")
    told = directory if isinstance(directory, dict) else {}
    if told.get("problem") or told.get("exists") is not True:
        return Checked(what, False, str(told.get("problem") or "its folder is missing"), _install(host))
    return Checked(what, True, f"{lane.root}/{lane.name} is there, and {lane.user} can be asked.")


def _ask(
    host: Host, programs: Programs, program: str, request: dict[str, Json], what: str = ""
) -> ProgramAnswer | Checked:
    try:
        return programs.ask(program, request, timeout_seconds=SECONDS)
    except HostProblem as problem:
        if problem.code == "version_skew":
            raise Problem(problem.code, problem.sentence) from problem
        return Checked(what or program, False, problem.sentence, _install(host))


def _install(host: Host) -> str:
    return f"manage.py hosts install {host.name} --apply --admin TARGET"
