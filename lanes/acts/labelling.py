"""The step that sets a runner's labels: those that were seen when it was planned become those of its record."""

from collections.abc import Iterable

from lanes.acts.at_hand import LaneAtHand
from lanes.acts.outcomes import PLAN_AGAIN, done, failed, said, unknown
from lanes.contracts import GithubRunner
from lanes.github.errors import GithubUnreachable
from lanes.names import DEFAULT_LABELS, folded, foreign_labels, missing_labels, same
from launchplane.changes.contracts import PlannedStep, StepOutcome


def set_labels(at: LaneAtHand, step: PlannedStep) -> StepOutcome:
    """Only of the runner that is ours, and only from what was approved."""
    ours = at.desired.agent_id
    runner = None if ours is None else at.github.runner(at.desired.scope, ours).runner
    if ours is None or runner is None or not same(runner.name, at.desired.lane_name):
        return said("raced", f"Runner {ours} of {at.desired.scope} is not there any more as it was seen.")
    if _as_labels(runner.labels) != _as_labels(_strings(step.expected.get("labels_seen"))):
        return said("raced", f"Its labels are not those that were planned with, but {', '.join(runner.labels)}.")
    wanted = [label for label in at.desired.labels if folded(label) not in DEFAULT_LABELS]
    try:
        now = at.github.set_labels(at.desired.scope, ours, wanted, our_id=ours)
    except GithubUnreachable as problem:
        return unknown(problem.sentence, {"code": problem.code})
    return judged(at, [label.name for label in now])


def judged(at: LaneAtHand, labels: Iterable[str]) -> StepOutcome:
    """Whether a runner with `labels` has those of its record, and no others."""
    seen = tuple(labels)
    missing, foreign = missing_labels(at.desired.labels, seen), foreign_labels(at.desired.labels, seen)
    if missing or foreign:
        wrong = ", ".join((*missing, *foreign))
        return failed(f"GitHub did not set all its labels right: {wrong}. {PLAN_AGAIN}", {"labels": seen})
    return done(f"Its labels are {', '.join(seen)}.", {"labels": seen})


def looked(at: LaneAtHand, runner: GithubRunner, step: PlannedStep) -> StepOutcome:
    """What became of it, by the labels that it has now."""
    if _as_labels(runner.labels) == _as_labels(_strings(step.expected.get("labels_seen"))):
        return said("skipped", "It has the labels that it had.")
    return judged(at, runner.labels)


def _as_labels(labels: Iterable[str]) -> list[str]:
    return sorted(map(folded, labels))


def _strings(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (tuple, list)) else ()
