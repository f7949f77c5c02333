"""What tests of planning have in common: a planner of their own, and a run that is under way."""

from collections.abc import Callable

from django.utils import timezone

from launchplane.changes import lock
from launchplane.changes.kinds import ChangeKind, kind_named, register
from launchplane.changes.models import PlanRun
from tests.changes import toy

Status = PlanRun.Status


def planning_with(plan: Callable[..., object]) -> None:
    """The routine's planner is `plan` from here on."""
    kind = kind_named(toy.ROUTINE)
    assert kind is not None
    register(ChangeKind(**{name: getattr(kind, name) for name in kind.__slots__} | {"plan": plan}))


def running(run: PlanRun, **fields: object) -> PlanRun:
    """As if a worker had begun it."""
    begun = {"status": Status.RUNNING, "started_at": timezone.now(), "machine": lock.machine()}
    PlanRun.objects.filter(pk=run.pk).update(**begun | fields)
    run.refresh_from_db()
    return run
