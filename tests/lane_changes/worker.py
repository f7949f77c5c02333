"""A worker in a process of its own that is killed at one step: `python -m tests.lane_changes.worker ID VERB WHEN PATH`.

WHEN is "before" the step is taken or "after"; PATH is the program that is asked in the host's stead.
"""

import os
import signal
import sys
from pathlib import Path

import django


def main(change_id: str, verb: str, when: str, dispatch: str) -> None:
    django.setup()

    from lanes import apply
    from lanes.acts import take as taking
    from lanes.acts import waiting
    from lanes.acts.at_hand import LaneAtHand
    from launchplane.changes.apply import apply_queued
    from launchplane.changes.contracts import PlannedStep, StepOutcome
    from launchplane.hosts import carriers

    take = taking.take

    def killed(at: LaneAtHand, step: PlannedStep) -> StepOutcome:
        if (step.verb, "before") == (verb, when):
            os.kill(os.getpid(), signal.SIGKILL)
        outcome = take(at, step)
        if (step.verb, "after") == (verb, when):
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    setattr(apply, "take", killed)  # noqa: B010 - the same function for mypy, another one here
    for name in ("ONLINE", "OFFLINE", "LISTED"):
        setattr(waiting, name, waiting.Patience(looks=2, pause_seconds=0))
    carriers.DISPATCH_PATH = Path(dispatch)  # type: ignore[misc]  # final in earnest
    apply_queued(change_id)


if __name__ == "__main__":
    main(*sys.argv[1:])
