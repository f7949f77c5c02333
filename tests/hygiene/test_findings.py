"""Each finding: what sets it off, what does not, and that it says what to do next."""

from typing import Any

import pytest

from hygiene.contracts import Finding, Inventory, Mount, Policy, Readings
from hygiene.parse.builders import pair
from launchplane.hosts.contracts import CompetingPrune, FolderSize, RunnerRoot
from launchplane.hosts.models import Host
from tests.factories import a_container, a_volume, an_image, an_inventory, readings
from tests.hygiene.judging import policy
from tests.hygiene.test_report import BUILDKIT, GB, a_host, a_warm_builder, report_of, summary

QUIET = policy(managed_label="")


def found(
    inventory: Inventory | None = None,
    reading: Readings | None = None,
    rules: Policy = QUIET,
    **host: Any,
) -> list[Finding]:
    return list(report_of(inventory or an_inventory(), reading, rules, a_host(**host)).findings)


def codes(*arguments: Any, **host: Any) -> set[str]:
    return {finding.code for finding in found(*arguments, **host)}


@pytest.mark.req("H9")
@pytest.mark.parametrize(("free", "expected"), [(20 * GB, set()), (20 * GB - 1, {"free_disk_below_minimum"})])
def test_free_disk_below_the_minimum(free: int, expected: set[str]) -> None:
    assert codes(None, readings(free=free), minimum_free_bytes=20 * GB) == expected


@pytest.mark.req("H9")
@pytest.mark.parametrize(("size", "expected"), [(50 * GB, set()), (50 * GB + 1, {"docker_reclaimable_above_limit"})])
def test_reclaimable_above_the_limit(size: int, expected: set[str]) -> None:
    inventory = an_inventory().model_copy(update={"summary": summary(size, 0, 0, 0)})
    assert codes(inventory, readings(total=None), reclaimable_limit_bytes=50 * GB) - {"measurement_partial"} == expected


@pytest.mark.req("H9")
@pytest.mark.parametrize(("size", "expected"), [(50 * GB, set()), (50 * GB + 1, {"runner_workdir_above_limit"})])
def test_runner_work_above_the_limit(size: int, expected: set[str]) -> None:
    work = FolderSize(path="/var/lib/docker/a/_work", apparent_bytes=0, allocated_bytes=size, files=1)
    root = RunnerRoot(path="/var/lib/docker", work=(work,), diagnostics=(), superseded=())
    assert codes(None, readings(runner_roots=(root,)), workdir_limit_bytes=50 * GB) == expected


def with_builder(*, state: str = "running", volume: bool = True, image: bool = True) -> Inventory:
    container, kept = a_warm_builder("ci")
    container = container.model_copy(update={"state": state})
    volumes = [kept] if volume else []
    images = [BUILDKIT] if image else []
    builders = pair([container], volumes, {}, {})
    return an_inventory(images, containers=[container], volumes=volumes, builders=builders)


@pytest.mark.req("H9")
def test_a_builder_that_is_left_over() -> None:
    assert "orphan_buildkit_present" in codes(with_builder(state="exited"))
    assert codes(with_builder()) == set()
    assert "orphan_buildkit_present" not in codes(with_builder(state="exited"), None, policy(required_builders=("ci",)))


@pytest.mark.req("H9")
def test_what_is_left_over_is_counted_in_words() -> None:
    volumes = [a_volume(f"buildx_buildkit_old{number}_state", size=3 * GB) for number in range(2)]
    (finding,) = found(an_inventory(volumes=volumes, builders=pair([], volumes, {}, {})))
    assert finding.summary == "Builders that are gone left 2 state volumes; removing them frees 6 GB."


REQUIRED = policy(managed_label="", required_builders=("ci",))


@pytest.mark.req("H9")
@pytest.mark.parametrize(
    "inventory",
    [
        an_inventory(),
        with_builder(state="exited"),
        with_builder(state="paused"),
        with_builder(volume=False),
        with_builder(image=False),
    ],
    ids=["gone", "stopped", "paused", "without volume", "without image"],
)
def test_a_required_builder_of_which_a_part_is_missing_or_stopped(inventory: Inventory) -> None:
    assert codes(inventory, None, REQUIRED) == {"required_warm_missing"}


def test_a_required_builder_that_is_there_is_no_finding() -> None:
    assert codes(with_builder(), None, REQUIRED) == set()


@pytest.mark.req("H7")
@pytest.mark.parametrize("field", ["containers", "volumes"])
def test_a_required_builder_that_could_not_be_looked_for_is_unknown_and_not_missing(field: str) -> None:
    blind = an_inventory(unmeasured={field: "timed out"})
    report = report_of(blind, None, REQUIRED)
    assert [builder.state for builder in report.warm_builders] == ["unknown"]
    assert {finding.code for finding in report.findings} == {"measurement_partial"}


@pytest.mark.req("H7")
def test_a_builders_volume_without_the_list_of_containers_does_not_make_it_missing() -> None:
    _, volume = a_warm_builder("ci")
    blind = an_inventory(volumes=[volume], builders=pair([], [volume], {}, {}), unmeasured={"containers": "timed out"})
    report = report_of(blind, None, REQUIRED)
    assert [builder.state for builder in report.warm_builders] == ["unknown"]
    assert report.orphan_buildkit_volumes is None
    assert report.unmeasured["orphan_buildkit_volumes"] == "timed out"


@pytest.mark.req("H9")
def test_a_required_image_that_is_not_there() -> None:
    rules = policy(managed_label="", required_images=("web:1",))
    assert codes(an_inventory(), None, rules) == {"required_warm_missing"}
    assert codes(an_inventory([an_image("web:1")]), None, rules) == set()
    assert codes(an_inventory(unmeasured={"images": "timed out"}), None, rules) == {"measurement_partial"}


@pytest.mark.req("H62")
@pytest.mark.parametrize(("enabled", "expected"), [(True, 1), (None, 1), (False, 0)])
def test_another_prune_on_the_host_counts_unless_it_is_surely_off(enabled: bool | None, expected: int) -> None:
    prune = CompetingPrune(source="docker-prune.timer", what="docker system prune -f", enabled=enabled)
    assert len(found(None, readings(competing_prunes=(prune,)))) == expected


@pytest.mark.req("H9")
def test_something_that_was_not_measured() -> None:
    (finding,) = found(None, readings(unmeasured={"events": "timed out"}))
    assert finding.code == "measurement_partial"
    assert "events" in finding.summary


@pytest.mark.req("D24")
def test_a_managed_label_that_no_image_carries() -> None:
    labelled = an_image(labels={"ci.managed": "true"})
    other = an_image(labels={"ci.managed": "false"})
    assert codes(an_inventory([other]), managed_label="ci.managed=true") == {"label_matches_nothing"}
    assert codes(an_inventory([other]), managed_label="ci.managed") == set()
    assert codes(an_inventory([labelled]), managed_label="ci.managed=true") == set()
    assert codes(an_inventory([other]), managed_label="") == set()


@pytest.mark.req("D24")
def test_without_the_images_no_label_is_said_to_match_nothing() -> None:
    blind = an_inventory(unmeasured={"images": "timed out"})
    assert codes(blind, managed_label="ci.managed") == {"measurement_partial"}


def test_every_finding_says_what_to_do_next() -> None:
    container = a_container("backup", BUILDKIT, mounts=[Mount(kind="volume", source="x", destination="/x")])
    worst = an_inventory([BUILDKIT], containers=[container], unmeasured={"services": "timed out"})
    findings = found(worst, readings(free=0), REQUIRED, managed_label="ci.managed")
    assert len(findings) == 4
    for finding in findings:
        assert finding.summary.endswith(".")
        assert finding.next_step.endswith(".")


def test_the_defaults_of_a_new_host_let_a_healthy_one_be_healthy() -> None:
    assert list(report_of(an_inventory(), None, QUIET, Host(name="new")).findings) == []
