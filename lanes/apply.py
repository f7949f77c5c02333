"""One application of a lane's plan: looks, gates, one step at a time, and every proof at the end (M60)."""

import logging
from datetime import timedelta
from functools import partial
from typing import Final

from django.utils import timezone

from lanes import drift, evidence, gates
from lanes.acts import looked, waiting
from lanes.acts.at_hand import ASKED_BY, LaneAtHand
from lanes.acts.take import take, verb_of
from lanes.contracts import GithubRunner
from lanes.looking import scene_now, scene_of
from lanes.models import Lane
from lanes.plan.scene import Asked, Scene
from launchplane.changes import freeze, lock
from launchplane.changes.contracts import Evidence, Gate, Json, Plan, PlannedStep, StepOutcome
from launchplane.hosts.connect import engine_of
from launchplane.hosts.models import Host
from launchplane.problems import Problem

log = logging.getLogger(__name__)

# these end what the runner does, so that nobody works is looked at anew unless that was just now
ENDING_JOBS: Final = frozenset({"stop", "restart"})
JUST_NOW: Final = timedelta(seconds=5)
# after one of these a listener comes up
STARTING: Final = frozenset({"enable-now", "restart"})


class LaneRun:
    """Implements `launchplane.changes.kinds.Run` for the five kinds of change of a lane."""

    def __init__(self, host: Host, plan: Plan) -> None:
        self._host, self._plan = host, plan
        self._desired, self._asked = drift.desired_in(plan), Asked(drift.operation_of(plan.kind))
        self._scene: Scene | None = None
        self._hands: LaneAtHand | None = None
        self._done: set[int] = set()
        self._met: set[int] = set()
        self._acted = 0
        self._broken: str | None = None
        self._pid_before: int | None = None

    def differences(self) -> tuple[str, ...]:
        """Look at the lane anew, and have the planner say what it would do now."""
        if self._lane() is None:
            return (f"The lane {self._plan.subject} has no record on {self._host.name} any more.",)
        return drift.differences(self._plan, drift.judged(self._look()))

    def gates(self) -> tuple[Gate, ...]:
        """Every gate of the kind, from the look that `differences` made."""
        scene = self._seen()
        now = drift.judged(scene)
        read = {
            "identity": partial(_identity, self._host),
            "fresh": partial(gates.fresh, scene.observed, now.unread, timezone.now()),
            "freeze": partial(freeze.gate, self._host),
            "lock": partial(lock.gate, self._host),
            "grant": partial(gates.grant, now.against_record, _granted(scene)),
            gates.NOT_BUSY: partial(gates.not_busy, now.case.parts, scene.observed),
        }
        return tuple(read[name]() for name in gates.names_for(self._plan.kind, map(verb_of, self._plan.steps)))

    def step_gates(self) -> tuple[Gate, ...]:
        """Nothing goes on after a step that failed, or without a grant; nothing ends a job that a new look may show."""
        unbroken = gates.unbroken(self._broken)
        if not unbroken.is_open:
            return (unbroken,)
        if self._ends_jobs() and timezone.now() - self._seen().observed.seen_at > JUST_NOW:
            self._look()
        scene = scene_of(self._record(), self._seen().observed, self._asked)
        now = drift.judged(scene)
        allowed = gates.grant(now.against_record, _granted(scene))
        busy = (gates.not_busy(now.case.parts, scene.observed),) if self._ends_jobs() else ()
        return (unbroken, allowed, *busy)

    def act(self, step: PlannedStep) -> StepOutcome:
        """One step, which is held for broken until it is known to be done."""
        self._acted = step.position
        self._break(step, "what became of it is not known")
        try:
            outcome = take(self._at_hand(), step)
        except Problem as problem:
            self._break(step, problem.sentence)
            raise
        return self._remember(step, outcome)

    def look(self, step: PlannedStep) -> StepOutcome:
        """What became of a step, by looking only. Changes nothing there.

        Whoever did not act is recovery, which holds the host anew: all that was begun there has ended.
        """
        since = looked.Since(has_ended=not self._acted, pid_before=self._pid_before)
        return self._remember(step, looked.look(self._at_hand(), step, verb_of(step), since))

    def recall(self, before: Evidence) -> None:
        """By which process a restart is seen. What must be there afterwards is told from the plan alone."""
        told = before.facts.get("main_pid")
        self._pid_before = told if isinstance(told, int) else None

    def evidence(self, *, before: bool) -> Evidence:
        """What is there; afterwards with every proof, once what has begun has had its time."""
        if before:
            self._pid_before = self._at_hand().host.main_pid(self._desired) if self._restarts() else None
            return evidence.before(self._seen(), main_pid=self._pid_before)
        if self._hands is not None:
            self._hands.drop_token()
        self._await_online()
        scene = self._look()
        desired = self._desired if self._plan.kind == "lane.remove" else scene.desired
        return evidence.after(self._plan, desired, scene, self._undone(), now=timezone.now())

    def _await_online(self) -> None:
        """A listener needs its time to come up: within the one bound, and only where all that starts it was done.

        Recovery does not wait: it comes later by itself.
        """
        if not self._acted or self._undone() or STARTING.isdisjoint(step.verb for step in self._plan.steps):
            return
        at = self._at_hand()
        if (ours := at.desired.agent_id) is None:
            return

        def seen() -> GithubRunner | None:
            return at.github.runner(at.desired.scope, ours).runner

        try:
            waiting.until(seen, lambda runner: runner is not None and runner.online, waiting.ONLINE)
        except Problem as problem:
            log.warning("whether %s is online could not be waited for: %s", self._plan.subject, problem.sentence)

    def _remember(self, step: PlannedStep, outcome: StepOutcome) -> StepOutcome:
        if outcome.outcome in ("done", "gone"):
            self._done.add(step.position)
            self._broken = None
        else:
            self._break(step, outcome.detail)
        return outcome

    def _break(self, step: PlannedStep, why: str) -> None:
        self._met.add(step.position)
        self._broken = f"{step.verb} ({why})"

    def _undone(self) -> tuple[str, ...]:
        """The steps that were not done. Where a worker died, those that it had done are known by their rows alone."""
        ours = self._plan.steps if self._acted else [step for step in self._plan.steps if step.position in self._met]
        return tuple(f"step {step.position}, {step.verb}" for step in ours if step.position not in self._done)

    def _restarts(self) -> bool:
        return any(step.verb == "restart" for step in self._plan.steps)

    def _ends_jobs(self) -> bool:
        """Whether the next step ends what the runner does."""
        following = self._plan.steps[self._acted : self._acted + 1]
        return any(step.verb in ENDING_JOBS for step in following)

    def _at_hand(self) -> LaneAtHand:
        if self._hands is None:
            self._hands = LaneAtHand(self._record())
        return self._hands

    def _lane(self) -> Lane | None:
        """The record as it is now; another lane that has its name on another host is not it."""
        return Lane.objects.select_related("host").filter(host=self._host).called(self._plan.subject).first()

    def _record(self) -> Lane:
        lane = self._lane()
        if lane is None:
            raise Problem("no_such_lane", f"The lane {self._plan.subject} has no record any more.")
        return lane

    def _look(self) -> Scene:
        self._scene = scene_now(self._record(), self._asked, asked_by=ASKED_BY)
        return self._scene

    def _seen(self) -> Scene:
        return self._scene or self._look()


def _identity(host: Host) -> Gate:
    """Asked of the engine, which was pinned with the host: nothing else on a machine says which one it is."""
    try:
        return gates.identity(engine_of(host).identify().engine_id, host.engine_id)
    except Problem as problem:
        return gates.identity(None, host.engine_id, why_unseen=problem.sentence)


def _granted(scene: Scene) -> dict[str, Json]:
    """What the gate `grant` rests on."""
    most = None if scene.grant is None else scene.grant.max_lanes
    return {"scope": scene.desired.scope, "max_lanes": most, "lanes": scene.lanes_granted}
