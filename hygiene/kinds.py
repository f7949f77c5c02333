"""The kinds of clean-up, as the apply engine knows them: who may ask and decide, what plans them, what applies them."""

from collections.abc import Callable, Sequence

from hygiene import looking, repositories
from hygiene.apply import HygieneRun
from hygiene.plan import aged, bounds, build_cache, dangling, retire
from hygiene.plan.scene import Scene
from hygiene.policy import policy_of
from launchplane.changes.contracts import BoundsInForce, Plan
from launchplane.changes.kinds import ChangeKind, register
from launchplane.hosts.models import Host

REQUEST, APPROVE = "hosts.request_change", "hosts.approve_change"
PLANNER = "a plan"
# what keeps a schedule from running, and not people who ask for it once
OF_SCHEDULES = frozenset({"pressure", "window", "no_other_prune"})


def register_kinds() -> None:
    """Make the four kinds known. A routine one gets its schedule, which starts disabled on every host."""
    register(
        _routine(
            bounds.BUILD_CACHE,
            "Prune build cache",
            "10 3 * * *",
            build_cache.plan_build_cache,
            build_cache.nothing_to_do,
        )
    )
    register(
        _routine(
            bounds.DANGLING,
            "Remove labelled dangling images",
            "*/30 * * * *",
            dangling.plan_dangling,
            dangling.nothing_to_do,
        )
    )
    register(
        _routine(bounds.AGED, "Remove what is left over and old", "40 3 * * *", aged.plan_aged, aged.nothing_to_do)
    )
    register(
        ChangeKind(
            name=bounds.RETIRE,
            title="Retire named items",
            authority="approval",
            request_right=REQUEST,
            approve_right=APPROVE,
            plan=_plan_retire,
            start=HygieneRun,
            phrase=phrase,
        )
    )


def phrase(plan: Plan) -> str | None:
    """The host's name, where a volume is lost for good."""
    return plan.host if any(step.verb == "remove-volume" for step in plan.steps) else None


def _routine(
    name: str, title: str, cron: str, plan: Callable[[Scene], Plan], nothing_to_do: Callable[[Plan], str | None]
) -> ChangeKind:
    """A routine kind: it may run under a standing approval, within its bounds."""
    return ChangeKind(
        name=name,
        title=title,
        authority="standing",
        request_right=REQUEST,
        approve_right=APPROVE,
        plan=lambda host: plan(looking.observe_now(host, asked_by=PLANNER)),
        start=HygieneRun,
        phrase=phrase,
        routine_cron=cron,
        routine_gates=OF_SCHEDULES,
        held_back=repositories.why_held_back,
        nothing_to_do=nothing_to_do,
        bounds=lambda host: _bounds(name, host),
        loosened=bounds.loosened,
    )


def _plan_retire(host: Host, *, items: Sequence[str] = ()) -> Plan:
    return retire.plan_retire(looking.observe_now(host, asked_by=PLANNER), items)


def _bounds(name: str, host: Host) -> BoundsInForce:
    return bounds.bounds_of(name, looking.host_facts(host), policy_of(host))
