"""What became of a step that nobody answered for: told from looking alone. Nothing is ever done again (X17).

A program on a host may still be at it after its caller is gone. So what is not done yet is only said to be undone once
the longest time has passed that the program gives itself.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from django.utils import timezone

from lanes.acts import labelling, registering, requests
from lanes.acts.agreeing import registered, removed
from lanes.acts.at_hand import LaneAtHand
from lanes.acts.fetching import offered
from lanes.acts.outcomes import PLAN_AGAIN, done, failed, said, unknown
from lanes.plan.verbs import Verb
from launchplane.changes.contracts import PlannedStep, StepOutcome
from launchplane.changes.models import Change, Step
from launchplane.hosts.answers import Json
from launchplane.hosts.models import Host

STOPPED: Final = ("inactive", "failed")
NO_TOKEN: Final = (
    "If GitHub made a token, only its worker had it: it is gone, and it ends by itself within the hour. " + PLAN_AGAIN
)


def look(at: LaneAtHand, step: PlannedStep, verb: Verb, *, pid_before: int | None) -> StepOutcome:
    """Done, skipped (not done), failed, or unknown as long as it may still come.

    `pid_before` is the unit's main process before the run, by which a restart is seen.
    """
    if verb in ("ask-token", "ask-remove-token"):
        return failed(NO_TOKEN)
    if verb == "configure":
        return _configured(at, step)
    if verb in ("unconfigure", "unconfigure-here", "remove-registration"):
        return _gone(at, step, verb)
    if verb == "set-labels":
        return _labels(at, step)
    if verb == "fetch":
        return _package(at, step)
    return _restart(at, step, pid_before) if verb == "restart" else _service(at, step, verb)


def _configured(at: LaneAtHand, step: PlannedStep) -> StepOutcome:
    seen = registered(at.desired, at.observe())
    if seen.agent_id is not None:
        return done(f"Registered as runner {seen.agent_id}: {seen.why}", registering.recorded(at, seen))
    if seen.state == "unread" or may_be_at_it(at.lane.host, step, "configure"):
        return unknown(f"{seen.why} That may still change.")
    return said("skipped" if seen.state == "none" else "failed", f"{seen.why} {PLAN_AGAIN}")


def _gone(at: LaneAtHand, step: PlannedStep, verb: Verb) -> StepOutcome:
    """By both places; a deletion at GitHub is over when its call is, and says nothing of the directory."""
    seen = removed(at.desired, at.observe())
    if seen.gone:
        at.record_agent(None)
        return done(seen.why)
    if seen.gone is None or (verb != "remove-registration" and may_be_at_it(at.lane.host, step, verb)):
        return unknown(f"{seen.why} That may still change.")
    return said("skipped", f"{seen.why} {PLAN_AGAIN}")


def _labels(at: LaneAtHand, step: PlannedStep) -> StepOutcome:
    ours = at.desired.agent_id
    runner = None if ours is None else at.github.runner(at.desired.scope, ours).runner
    if runner is None:
        return unknown(f"GitHub shows no runner {ours} of {at.desired.scope}.")
    return labelling.looked(at, runner, step)


def _package(at: LaneAtHand, step: PlannedStep) -> StepOutcome:
    directory = at.host.facts(at.desired).get("directory")
    lies_there = directory.get("package_sha256") if isinstance(directory, Mapping) else None
    if lies_there in offered(at):
        return done(f"The package lies there whole ({lies_there}).")
    if may_be_at_it(at.lane.host, step, "fetch"):
        return unknown("The package does not lie there whole, and may still come.")
    return said("skipped", f"The package does not lie there whole: nothing is started from it. {PLAN_AGAIN}")


def _service(at: LaneAtHand, step: PlannedStep, verb: Verb) -> StepOutcome:
    told = at.host.facts(at.desired)
    service = told.get("service")
    if not isinstance(service, Mapping):
        return unknown("The host does not tell of the unit.")
    if _DONE[verb](service):
        return done("The host shows that it is so.")
    if may_be_at_it(at.lane.host, step, verb):
        return unknown("The host does not show that it is so, and it may still be at it.")
    return said("skipped", f"The host shows that it is not so. {PLAN_AGAIN}")


def _restart(at: LaneAtHand, step: PlannedStep, pid_before: int | None) -> StepOutcome:
    """By the unit's main process: another one than before the run was started since."""
    now = at.host.main_pid(at.desired)
    if now is not None and pid_before not in (None, now):
        return done(f"It has another main process ({now}) than before ({pid_before}).")
    if may_be_at_it(at.lane.host, step, "restart"):
        return unknown("Its main process is not another one yet, and systemd may still be at it.")
    if pid_before is None or now is None:
        return failed(f"Whether it was restarted cannot be seen: its main process is {now or 'gone'}. {PLAN_AGAIN}")
    return said("skipped", f"It was not restarted: its main process is {now}, as before.")


def may_be_at_it(host: Host, step: PlannedStep, verb: Verb) -> bool:
    """Whether the program could still be at work on it, by when its intent was stored; unknown counts as yes."""
    of_the_holder = Step.objects.filter(change__in=Change.objects.holding(host), position=step.position)
    begun = of_the_holder.values_list("intent_at", flat=True).first()
    # a package that is cut off ends with its line; only what came whole is still unpacked
    longest = timedelta(seconds=requests.seconds_for(verb))
    return begun is None or timezone.now() < begun + longest


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
