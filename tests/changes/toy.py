"""A kind of change with real effects: it removes files from a folder, the host's `docker_root`.

Files say what happens: `closed` and `closed-step` close gates, `warm` must exist after each run, `keep.json` holds the
bounds. Each removal leaves a line in `effects.log` beside the folder, so that an effect that happened twice is seen.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from launchplane.changes.contracts import (
    Blocker,
    Boundary,
    BoundsInForce,
    DeclaredCall,
    Evidence,
    Gate,
    Plan,
    PlannedStep,
    StepOutcome,
)
from launchplane.changes.kinds import ChangeKind, register
from launchplane.hosts.boundary import spend
from launchplane.hosts.models import Host
from launchplane.problems import Problem

ONCE, ROUTINE = "toy.remove", "toy.routine"
SIGNS = ("closed", "closed-step", "warm", "keep.json", "unreadable")

Hook = Callable[[str, PlannedStep | None], object]


def nothing(_window: str, _step: PlannedStep | None) -> None:
    """Happens at each window unless a test wants something else."""


# called at `before_intent`, `before_act`, `after_effect` and `at_end`; a test may crash, freeze or race there
hook: list[Hook] = [nothing]
# told of each effect when it happens
witness: list[Callable[[Host, PlannedStep], None]] = []


def folder_of(host: Host) -> Path:
    return Path(host.docker_root)


def effects(host: Host) -> list[str]:
    """The names of all files that were ever removed, in order."""
    log = folder_of(host).with_suffix(".effects")
    return log.read_text().splitlines() if log.exists() else []


def rubbish(host: Host) -> list[Path]:
    return sorted(path for path in folder_of(host).iterdir() if path.name not in SIGNS)


def sign(host: Host, name: str, *, there: bool = True, text: str = "") -> None:
    path = folder_of(host) / name
    if there:
        path.write_text(text)
    else:
        path.unlink(missing_ok=True)


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def keep(host: Host) -> dict[str, Any]:
    path = folder_of(host) / "keep.json"
    return json.loads(path.read_text()) if path.exists() else {"protected": ["warm"], "budget_bytes": 0}


def bounds(host: Host) -> BoundsInForce:
    said = keep(host)
    return BoundsInForce(bounds={"budget_bytes": said["budget_bytes"]}, protections=tuple(said["protected"]))


def loosened(granted: BoundsInForce, now: BoundsInForce) -> tuple[str, ...]:
    lost = sorted(set(granted.protections) - set(now.protections))
    found = [f"{name} is not protected any more." for name in lost]
    if int(str(now.bounds["budget_bytes"])) < int(str(granted.bounds["budget_bytes"])):
        found.append("The budget was lowered.")
    return tuple(found)


def planner(kind: str) -> Callable[..., Plan]:
    def plan(host: Host, *, items: Sequence[str] = (), calls: int | None = None) -> Plan:
        paths = [path for path in rubbish(host) if not items or path.name in items]
        steps = tuple(_step(position, path) for position, path in enumerate(paths, start=1))
        in_force = bounds(host)
        closed = (Blocker(code="toy_blocked", summary="Blocked."),) if (folder_of(host) / "unreadable").exists() else ()
        return Plan(
            kind=kind,
            host=host.name,
            subject="",
            title="Remove files",
            target_identity=str(folder_of(host).stat().st_ino),
            rules_version=1,
            steps=steps,
            protections=in_force.protections,
            bounds=in_force.bounds,
            boundary=Boundary(
                host=host.name,
                user="nobody",
                through="the file system",
                calls=(DeclaredCall(name="remove", at_most=len(steps) if calls is None else calls),),
                before="a listing",
                after="a listing",
                rollback="none: what is removed is gone",
            ),
            predicted_bytes=sum(step.predicted_bytes or 0 for step in steps),
            blockers=closed,
            next_steps=(),
            facts={},
        )

    return plan


def _step(position: int, path: Path) -> PlannedStep:
    return PlannedStep(
        position=position,
        verb="remove",
        target=path.name,
        title=path.name,
        expected={"sha256": digest_of(path)},
        undo={},
        reversible="no",
        predicted_bytes=path.stat().st_size,
    )


class ToyRun:
    def __init__(self, host: Host, plan: Plan) -> None:
        self.host, self.plan, self.folder = host, plan, folder_of(host)
        if not self.folder.exists():
            raise Problem("toy_gone", "The folder is gone.")

    def differences(self) -> tuple[str, ...]:
        return () if str(self.folder.stat().st_ino) == self.plan.target_identity else ("Another folder is there.",)

    def gates(self) -> tuple[Gate, ...]:
        return self._gate("toy", "closed")

    def step_gates(self) -> tuple[Gate, ...]:
        hook[0]("before_intent", None)
        return self._gate("toy_step", "closed-step")

    def act(self, step: PlannedStep) -> StepOutcome:
        hook[0]("before_act", step)
        path = self.folder / step.target
        if not path.exists():
            return _outcome("gone", "It is gone already.")
        if digest_of(path) != step.expected["sha256"]:
            return _outcome("skipped", "It has changed.")
        size = path.stat().st_size
        spend("remove")
        with self.folder.with_suffix(".effects").open("a") as log:
            path.unlink()
            log.write(f"{step.target}\n")
        for see in witness:
            see(self.host, step)
        hook[0]("after_effect", step)
        return _outcome("done", "Removed.", size)

    def look(self, step: PlannedStep) -> StepOutcome:
        if (self.folder / "unreadable").exists():
            return _outcome("unknown", "It cannot be seen.")
        path = self.folder / step.target
        return _outcome("skipped", "It is still there.") if path.exists() else _outcome("done", "It is gone.")

    def recall(self, before: Evidence) -> None:
        """What is missing is told from the plan alone."""

    def evidence(self, *, before: bool) -> Evidence:
        hook[0]("at_start" if before else "at_end", None)
        names = sorted(path.name for path in self.folder.iterdir())
        missing = tuple(name for name in self.plan.protections if name not in names)
        return Evidence(facts={"files": tuple(names)}, missing=missing, actual_bytes=None)

    def _gate(self, name: str, closing: str) -> tuple[Gate, ...]:
        closed = (self.folder / closing).exists()
        state = "closed" if closed else "open"
        return (Gate(name=name, state=state, reason=f"{closing} is {'' if closed else 'not '}there.", evidence={}),)


def _outcome(word: Any, detail: str, freed: int | None = None) -> StepOutcome:
    return StepOutcome(outcome=word, detail=detail, freed_bytes=freed, evidence={})


def phrase(plan: Plan) -> str | None:
    return "remove precious" if any(step.target.startswith("precious") for step in plan.steps) else None


def register_toys() -> None:
    register(
        ChangeKind(
            name=ONCE,
            title="Removal of files",
            authority="approval",
            request_right="hosts.request_change",
            approve_right="hosts.approve_change",
            plan=planner(ONCE),
            start=ToyRun,
            phrase=phrase,
        )
    )
    register(
        ChangeKind(
            name=ROUTINE,
            title="Routine removal of files",
            authority="standing",
            request_right="hosts.request_change",
            approve_right="hosts.approve_change",
            plan=planner(ROUTINE),
            start=ToyRun,
            phrase=lambda _: None,
            routine_cron="*/30 * * * *",
            bounds=bounds,
            loosened=loosened,
        )
    )


def remove_all(host: Host) -> None:
    """What somebody else may do meanwhile."""
    for path in rubbish(host):
        with suppress(FileNotFoundError):
            path.unlink()
