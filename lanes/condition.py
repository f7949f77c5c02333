"""Why a runner is not at work: from systemd's own word, its last log, and what GitHub shows of it (X12). Pure.

systemd cannot tell a deleted registration from a stop, and a log cannot tell who stopped its writer: together they can.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from lanes.contracts import Condition
from lanes.parts import Parts
from lanes.told import Name, NotTold, Told, ToldPart, read

VERSION_DEPRECATED: Final = 7
SESSION_CONFLICT: Final = 5
Sign = Literal["registration_deleted", "session_conflict", "version_deprecated", "listening", "told_to_stop"]
Status = Annotated[int, Field(ge=0, le=255)]
CONDITIONS: Final[Mapping[Sign, tuple[Condition, str]]] = {
    "registration_deleted": ("registration_expired", "Its log says that GitHub deleted its registration."),
    "session_conflict": ("session_conflict", "Its log says that another process is connected as this runner."),
    "version_deprecated": ("version_deprecated", "Its log says that GitHub does not serve its version any more."),
}
SAID_BY_SYSTEMD: Final[Mapping[str, str]] = {
    "exit-code": "its listener ended with an error",
    "signal": "its listener was killed by a signal",
    "core-dump": "its listener crashed",
    "oom-kill": "the host ran out of memory",
    "timeout": "it did not start or stop in time",
    "start-limit-hit": "it ended too often in a short time",
    "resources": "the host lacked what it needs to start",
}


class _Journal(ToldPart):
    signs: Annotated[tuple[Sign, ...], Field(max_length=20)]
    ended_with: Status | None


class _Ended(ToldPart):
    """systemd's word on how the unit ended last."""

    exists: bool
    enabled: bool
    active_state: Name
    sub_state: Name
    result: Name
    exit_status: Annotated[int, Field(ge=0, lt=2**31)] | None


@dataclass(frozen=True, slots=True)
class Why:
    """A condition with its cause in a sentence; `unread` says why the log could not be read, if so."""

    condition: Condition
    cause: str
    unread: str = ""


def why_not_at_work(facts: Mapping[str, object], parts: Parts) -> Why:
    """The condition of a lane. "none" with `unread` is no proof that nothing is wrong."""
    ended, of_unit = _read(_Ended, facts, "service")
    journal, of_log = _read(_Journal, facts, "journal")
    condition, cause = _of_log(journal, ended) or _of_systemd(ended, journal, parts) or ("none", "")
    if condition == "none" and parts.runner is not None and parts.runner.busy and not parts.runner.online:
        condition, cause = "offline_busy", f"{cause} GitHub shows it offline, and counts a job on it.".strip()
    return Why(condition, cause, of_log or of_unit)


def _read(shape: type[Told], facts: Mapping[str, object], part: str) -> tuple[Told | None, str]:
    """The part, or why it was not read."""
    try:
        return read(shape, facts, part), ""
    except NotTold as problem:
        return None, str(problem)


def _of_log(journal: _Journal | None, ended: _Ended | None) -> tuple[Condition, str] | None:
    """The last word of the newest log; systemd's exit status is of the same process, and cannot be written by a job."""
    if ended is not None and ended.exists and ended.active_state != "active":
        if ended.exit_status == VERSION_DEPRECATED:
            return "version_deprecated", "Its listener ended because GitHub does not serve its version any more."
        if ended.exit_status == SESSION_CONFLICT:
            return "session_conflict", "Its listener ended because another process is connected as this runner."
    if journal is None or not journal.signs:
        return None
    return CONDITIONS.get(journal.signs[-1])


def _of_systemd(ended: _Ended | None, journal: _Journal | None, parts: Parts) -> tuple[Condition, str] | None:
    """What has no condition of its own: stopped, crashed, or running without GitHub."""
    if ended is None or not ended.exists:
        return None
    if ended.active_state == "active":
        offline = parts.registration == "ours" and parts.runner is not None and not parts.runner.online
        return ("none", "Its unit runs, and GitHub shows it offline.") if offline else None
    status = "" if not ended.exit_status else f" (exit status {ended.exit_status})"
    if ended.result != "success":
        why = SAID_BY_SYSTEMD.get(ended.result, "systemd counts it as failed")
        return "none", f"It crashed: {why}{status}."
    if ended.active_state == "activating":
        return "none", _starting(ended, journal, status)
    disabled = "" if ended.enabled else " It is not enabled, so it will not start by itself."
    return "none", f"Somebody stopped it, or it was not started since the host booted.{disabled}"


def _starting(ended: _Ended, journal: _Journal | None, status: str) -> str:
    """`run.sh` hides from systemd how the listener ended; a listener that could not say so either has crashed."""
    if ended.sub_state != "auto-restart":
        return "It is being started."
    if journal is None or journal.ended_with is None:
        return f"It crashed{status}, and systemd starts it again."
    return f"Its listener ended with {journal.ended_with}, and systemd starts it again."
