"""Each gate, from facts: what closes it, what it says then, and that what is not known counts as closed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hygiene import gates
from hygiene.contracts import Inventory, RunningBuild, Service
from hygiene.plan.bounds import AGED
from launchplane.changes.contracts import Gate
from launchplane.changes.planning import known_kind
from launchplane.hosts.contracts import CompetingPrune, RunnerProcess
from tests.factories import GB, a_busy_inventory, a_container, an_image, an_inventory, readings

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOBODY_LOOKED = {"runner_processes": "hidepid"}


def said(gate: Gate) -> tuple[str, str]:
    return gate.state, gate.reason


def a_service(name: str, *, wanted: int | None = 1, running: int | None = 1, stack: str | None = None) -> Service:
    return Service(id=name, name=name, stack=stack, image="x", wanted=wanted, running=running, volumes=())


def with_services(*services: Service) -> Inventory:
    return an_inventory().model_copy(update={"services": services})


def a_swarm_worker() -> Inventory:
    why = "this engine is a swarm worker and cannot see its services"
    return an_inventory(unmeasured={"services": why}).model_copy(update={"services": None})


@pytest.mark.req("P3")
@pytest.mark.req("P14")
def test_below_the_threshold_the_cache_is_kept_and_the_percentage_said() -> None:
    gate = gates.pressure(readings(total=100 * GB, free=69 * GB), threshold_percent=80)

    assert said(gate) == (
        "closed",
        "/var/lib/docker is at 31 % (< 80 %): keeping the local image cache, nothing to do.",
    )
    assert gate.evidence["used_percent"] == 31


@pytest.mark.parametrize(("percent", "state"), [(79, "closed"), (80, "open"), (100, "open")])
def test_from_the_threshold_on_it_is_open(percent: int, state: str) -> None:
    gate = gates.pressure(readings(total=100 * GB, free=(100 - percent) * GB), threshold_percent=80)

    assert gate.state == state


@pytest.mark.req("P32")
def test_a_disk_that_could_not_be_read_counts_as_closed() -> None:
    gate = gates.pressure(readings(total=None), threshold_percent=80)

    assert gate.state == "unknown"
    assert gate.reason.endswith("Counts as closed.")
    assert not gate.is_open


@pytest.mark.req("H18")
def test_any_worker_of_any_user_is_a_job() -> None:
    worker = RunnerProcess(pid=42, name="Runner.Worker", user="runner-7", folder="/srv/runners/7")
    gate = gates.idle(an_inventory(), readings(runner_processes=(worker,)), ())

    assert said(gate) == ("closed", "A job runs: Runner.Worker is process 42 of runner-7.")


def test_a_listener_alone_is_no_job() -> None:
    listener = RunnerProcess(pid=42, name="Runner.Listener", user="runner-7", folder=None)

    assert gates.idle(an_inventory(), readings(runner_processes=(listener,)), ()).is_open


@pytest.mark.req("H17")
def test_processes_that_could_not_be_read_are_not_idle() -> None:
    gate = gates.idle(an_inventory(), readings(runner_processes=None, unmeasured=NOBODY_LOOKED), ())

    assert said(gate) == ("unknown", "Whether a runner works could not be read: hidepid. Counts as closed.")


@pytest.mark.req("P4")
@pytest.mark.parametrize(
    "inventory",
    [
        an_inventory(containers=[a_container("ab1-0f3c9d_ci_shop_net_1", an_image())]),
        with_services(a_service("ab1-0f3c9d_ci_shop_net_web")),
        with_services(a_service("web", stack="ab1-0f3c9d_ci_shop_net_x")),
    ],
)
def test_a_container_service_or_stack_that_matches_is_a_run(inventory: Inventory) -> None:
    gate = gates.idle(inventory, readings(), [r"^[a-z0-9]{1,4}-[0-9a-f]{6}_ci_.*_net_"])

    assert gate.state == "closed"
    assert gate.reason.startswith("A run is in progress: ")


def test_a_stopped_container_that_matches_is_none() -> None:
    inventory = an_inventory(containers=[a_container("run-1", an_image(), state="exited")])

    assert gates.idle(inventory, readings(), ["^run-"]).is_open


@pytest.mark.parametrize("inventory", [an_inventory(unmeasured={"containers": "timed out"}), a_swarm_worker()])
def test_a_list_that_could_not_be_read_may_hold_a_run(inventory: Inventory) -> None:
    assert gates.idle(inventory, readings(), ["^run-"]).state == "unknown"


@pytest.mark.req("P5")
def test_a_service_without_all_its_tasks_is_not_converged() -> None:
    gate = gates.converged(with_services(a_service("web", wanted=3, running=1)))

    assert said(gate) == ("closed", "Not every service has its tasks: web runs 1 of 3.")


@pytest.mark.parametrize("inventory", [a_swarm_worker(), with_services(a_service("web", running=None))])
def test_services_that_cannot_be_counted_count_as_not_converged(inventory: Inventory) -> None:
    assert gates.converged(inventory).state == "unknown"


def test_no_swarm_is_converged() -> None:
    assert said(gates.converged(an_inventory())) == ("open", "No swarm service.")


@pytest.mark.req("H15")
def test_a_build_inside_a_builder_closes_it_with_how_long_it_runs() -> None:
    build = RunningBuild(builder="ci0", ref="x", started_at=NOW - timedelta(minutes=3))
    gate = gates.no_build(an_inventory(), readings(running_builds=(build,)), NOW)

    assert said(gate) == ("closed", "ci0 has been building for 3 min.")


@pytest.mark.req("H15")
def test_build_cache_in_use_is_a_build() -> None:
    gate = gates.no_build(a_busy_inventory(), readings(), NOW)

    assert said(gate) == ("closed", "A build uses the build cache of the engine.")


@pytest.mark.req("H17")
@pytest.mark.parametrize(
    ("inventory", "reading"),
    [
        (an_inventory(), {"running_builds": None, "unmeasured": {"running_builds": "builder ci0: timed out"}}),
        (an_inventory(unmeasured={"containers": "timed out"}), {}),
        (an_inventory(unmeasured={"docker_summary": "timed out"}), {}),
    ],
)
def test_a_builder_that_was_not_asked_may_build(inventory: Inventory, reading: dict[str, Any]) -> None:
    assert gates.no_build(inventory, readings(**reading), NOW).state == "unknown"


def test_a_paused_builder_could_not_be_asked() -> None:
    busy = a_busy_inventory()
    paused = busy.builders[0].model_copy(update={"container_state": "paused"})
    gate = gates.no_build(busy.model_copy(update={"builders": (paused,), "build_cache": ()}), readings(), NOW)

    assert gate.state == "unknown"


@pytest.mark.parametrize(
    ("spec", "hour", "is_open"),
    [
        ("", 12, True),
        ("10:00-14:00", 12, True),
        ("10:00-12:00", 12, False),
        ("12:00-13:00", 12, True),
        ("22:00-05:00", 23, True),
        ("22:00-05:00", 4, True),
        ("22:00-05:00", 5, False),
        ("22:00-05:00", 12, False),
    ],
)
def test_the_hours_of_a_host_are_in_utc_and_may_go_over_midnight(spec: str, hour: int, is_open: bool) -> None:
    assert gates.window(spec, NOW.replace(hour=hour)).is_open == is_open


@pytest.mark.parametrize(("seconds", "is_open"), [(0, True), (300, True), (301, False), (-1, False)])
def test_what_is_known_is_fresh_for_five_minutes(seconds: int, is_open: bool) -> None:
    assert gates.fresh(NOW - timedelta(seconds=seconds), NOW).is_open == is_open


def test_another_engine_is_not_the_one_that_was_added() -> None:
    assert gates.identity("B", "A").state == "closed"
    assert gates.identity("A", "A").is_open


@pytest.mark.req("H34")
def test_phase_one_needs_an_observation_after_it() -> None:
    done = gates.PhaseOne("change", NOW)

    assert gates.phase_one(None, NOW).state == "closed"
    assert gates.phase_one(done, NOW).state == "closed"
    assert gates.phase_one(done, NOW + timedelta(seconds=1)).is_open


def a_prune(enabled: bool | None = True) -> CompetingPrune:
    return CompetingPrune(source="docker-prune.timer", what="docker system prune -f", enabled=enabled)


@pytest.mark.req("H61")
@pytest.mark.req("P11")
@pytest.mark.parametrize("enabled", [True, None])
def test_another_prune_on_the_host_closes_it_with_its_name(enabled: bool | None) -> None:
    gate = gates.no_other_prune(readings(competing_prunes=(a_prune(enabled),)))

    reason = "docker-prune.timer prunes Docker on this host too (docker system prune -f): disable it first."
    assert said(gate) == ("closed", reason)


def test_one_that_is_switched_off_does_not() -> None:
    assert gates.no_other_prune(readings(competing_prunes=(a_prune(enabled=False),))).is_open


@pytest.mark.req("P32")
def test_timers_that_could_not_be_read_may_prune() -> None:
    unread = readings(competing_prunes=None, unmeasured={"competing_prunes": "permission denied"})

    assert gates.no_other_prune(unread).state == "unknown"


@pytest.mark.req("H61")
def test_only_the_broad_kind_waits_for_it_and_only_on_its_schedule() -> None:
    waiting = {kind for kind, names in gates.TABLE.items() if "no_other_prune" in names}

    assert waiting == {AGED}
    assert "no_other_prune" in known_kind(AGED).routine_gates


@pytest.mark.req("P33")
def test_every_gate_of_every_kind_is_one_of_these() -> None:
    known = {
        "identity", "fresh", "freeze", "lock", "pressure", "idle", "converged", "no_build", "window", "phase_one",
        "no_other_prune",
    }  # fmt: skip

    assert {name for names in gates.TABLE.values() for name in names} == known
