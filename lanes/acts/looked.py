"""What became of a step that nobody answered for: told from looking alone. Nothing is ever done again (X17).

A program on a host may still be at it after its caller is gone. Nobody gets to hold the host anew before it has ended
(onhost/session.py): so whoever lost an answer cannot say that nothing was done, and recovery can.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from lanes.acts import labelling, registering
from lanes.acts.agreeing import registered, removed
from lanes.acts.at_hand import LaneAtHand
from lanes.acts.fetching import offered
from lanes.acts.outcomes import PLAN_AGAIN, done, failed, said, unknown
from lanes.plan.verbs import Verb
from launchplane.changes.contracts import PlannedStep, StepOutcome
from launchplane.hosts.answers import Json

STOPPED: Final = ("inactive", "failed")
NO_TOKEN: Final = (
    "If GitHub made a token, only its worker had it: it is gone, and it ends by itself within the hour. " + PLAN_AGAIN
)


@dataclass(frozen=True, slots=True)
class Since:
    """What is known of the time before: whether all that was begun `has_ended`, and the unit's main process then."""

    has_ended: bool
    pid_before: int | None


def look(at: LaneAtHand, step: PlannedStep, verb: Verb, since: Since) -> StepOutcome:
    """Done, skipped (not done), failed, or unknown as long as it may still come."""
    if verb in ("ask-token", "ask-remove-token"):
        return failed(NO_TOKEN)
    if verb == "configure":
        return _configured(at, since)
    if verb in ("unconfigure", "unconfigure-here", "remove-registration"):
        return _gone(at, verb, since)
    if verb == "set-labels":
        return _labels(at, step)
    if verb == "fetch":
        return _package(at, since)
    return _restart(at, since) if verb == "restart" else _service(at, verb, since)


def _configured(at: LaneAtHand, since: Since) -> StepOutcome:
    seen = registered(at.desired, at.observe())
    if seen.agent_id is not None:
        return done(f"Registered as runner {seen.agent_id}: {seen.why}", registering.recorded(at, seen))
    if seen.state == "unread" or not since.has_ended:
        return unknown(f"{seen.why} That may still change.")
    return said("skipped" if seen.state == "none" else "failed", f"{seen.why} {PLAN_AGAIN}")


def _gone(at: LaneAtHand, verb: Verb, since: Since) -> StepOutcome:
    """By both places; a deletion at GitHub is over when its call is, and says nothing of the directory."""
    seen = removed(at.desired, at.observe())
    if seen.gone:
        at.record_agent(None)
        return done(seen.why)
    if seen.gone is None or (verb != "remove-registration" and not since.has_ended):
        return unknown(f"{seen.why} That may still change.")
    return said("skipped", f"{seen.why} {PLAN_AGAIN}")


def _labels(at: LaneAtHand, step: PlannedStep) -> StepOutcome:
    ours = at.desired.agent_id
    runner = None if ours is None else at.github.runner(at.desired.scope, ours).runner
    if runner is None:
        return unknown(f"GitHub shows no runner {ours} of {at.desired.scope}.")
    return labelling.looked(at, runner, step)


def _package(at: LaneAtHand, since: Since) -> StepOutcome:
    directory = at.host.facts(at.desired).get("directory")
    lies_there = directory.get("package_sha256") if isinstance(directory, Mapping) else None
    if lies_there in offered(at):
        return done(f"The package lies there whole ({lies_there}).")
    if not since.has_ended:
        return unknown("The package does not lie there whole, and may still come.")
    return said("skipped", f"The package does not lie there whole: nothing is started from it. {PLAN_AGAIN}")


def _service(at: LaneAtHand, verb: Verb, since: Since) -> StepOutcome:
    told = at.host.facts(at.desired)
    service = told.get("service")
    if not isinstance(service, Mapping):
        return unknown("The host does not tell of the unit.")
    if _DONE[verb](service):
        return done("The host shows that it is so.")
    if not since.has_ended:
        return unknown("The host does not show that it is so, and it may still be at it.")
    return said("skipped", f"The host shows that it is not so. {PLAN_AGAIN}")


def _restart(at: LaneAtHand, since: Since) -> StepOutcome:
    """By the unit's main process: another one than before the run was started since."""
    now, pid_before = at.host.main_pid(at.desired), since.pid_before
    if now is not None and pid_before not in (None, now):
        return done(f"It has another main process ({now}) than before ({pid_before}).")
    if not since.has_ended:
        return unknown("Its main process is not another one yet, and systemd may still be at it.")
    if pid_before is None or now is None:
        return failed(f"Whether it was restarted cannot be seen: its main process is {now or 'gone'}. {PLAN_AGAIN}")
    return said("skipped", f"It was not restarted: its main process is {now}, as before.")


_DONE: Final[Mapping[str, Callable[[Mapping[str, Json]], bool]]] = {
    "stop": lambda service: service.get("active_state") in STOPPED,
    "disable": lambda service: service.get("enabled") is False,
    "remove-unit": lambda service: service.get("written") is False,
    "install-unit": lambda service: service.get("as_written") is True,
    # systemd knows a unit exactly if there is a file, and that one
    "daemon-reload": lambda service: (
        service.get("reload_needed") is False and service.get("loaded") == service.get("written")
    ),
    "enable-now": lambda service: service.get("enabled") is True and service.get("active_state") == "active",
}
