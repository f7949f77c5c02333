"""The report: the figures that others read, and null with a reason for all that was not measured."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from hygiene.contracts import (
    Container,
    DockerSummary,
    Image,
    Inventory,
    Mount,
    Observation,
    Policy,
    Readings,
    Report,
    TypeSummary,
    Volume,
)
from hygiene.judge import Judgement
from hygiene.parse.builders import pair
from hygiene.report import build_report
from launchplane.canonical import canonical
from launchplane.hosts.contracts import ContainerLog, FolderSize, RunnerRoot
from launchplane.hosts.models import Host
from tests.factories import a_container, a_volume, an_image, an_inventory, readings
from tests.hygiene.inventories import Scene, scenes
from tests.hygiene.judging import policy

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GB = 10**9
BUILDKIT = an_image("moby/buildkit:buildx-stable-1")


def a_host(**fields: Any) -> Host:
    """A host that is stored nowhere."""
    return Host(**({"name": "chris-testing", "runner_roots": ["/srv/runners"]} | fields))


def report_of(
    inventory: Inventory, reading: Readings | None = None, rules: Policy | None = None, host: Host | None = None
) -> Report:
    observation = Observation(
        inventory=inventory, readings=reading or readings(), events=(), observed_at=NOW, duration_ms=412
    )
    rules = rules or policy(managed_label="")
    judgement = Judgement(inventory, {}, rules, {}, now=NOW)
    return build_report(host or a_host(), observation, judgement, rules)


def a_warm_builder(name: str) -> tuple[Container, Volume]:
    mount = Mount(kind="volume", source=f"buildx_buildkit_{name}0_state", destination="/var/lib/buildkit")
    return a_container(f"buildx_buildkit_{name}0", BUILDKIT, mounts=[mount]), a_volume(mount.source)


def summary(*reclaimable: int | None) -> DockerSummary:
    """Images, containers, volumes and build cache with these reclaimable bytes."""
    types = [TypeSummary(count=1, active=0, size_bytes=size, reclaimable_bytes=size) for size in reclaimable]
    return DockerSummary(images=types[0], containers=types[1], volumes=types[2], build_cache=types[3])


def the_field_host() -> Inventory:
    """The host of the requirement: two warm builders, two warm images."""
    images: list[Image] = [an_image("odoo-docker:verify-devtools"), an_image("odoo-docker:verify-runtime"), BUILDKIT]
    pairs = [a_warm_builder("odoo-docker-chris-testing"), a_warm_builder("odoo-enterprise-chris-testing")]
    containers, volumes = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    inventory = an_inventory(images, containers=containers, volumes=volumes, builders=pair(containers, volumes, {}, {}))
    figures = summary(100_520_000_000, 3_000_000_000, 25_000_000_000, 20_000_000_000)
    return inventory.model_copy(update={"summary": figures})


WARM = policy(
    managed_label="",
    required_builders=("odoo-docker-chris-testing", "odoo-enterprise-chris-testing"),
    required_images=("odoo-docker:verify-devtools", "odoo-docker:verify-runtime"),
)
EMPTY_WORK = RunnerRoot(
    path="/srv/runners",
    work=(FolderSize(path="/srv/runners/a/_work", apparent_bytes=0, allocated_bytes=0, files=0),),
    diagnostics=(),
    superseded=(),
)


@pytest.mark.req("H2")
@pytest.mark.req("H6")
def test_the_report_of_the_field_host_has_exactly_its_figures() -> None:
    reading = readings(total=512 * GB, free=331_590_270_976, runner_roots=(EMPTY_WORK,))
    report = report_of(the_field_host(), reading, WARM)
    assert report.free_disk_bytes == 331_590_270_976
    assert report.docker_reclaimable_bytes == 148_520_000_000
    assert report.runner_workdir_bytes == 0
    assert (report.orphan_buildkit_containers, report.orphan_buildkit_volumes) == (0, 0)
    assert report.orphan_buildkit_images == 0
    assert [(image.ref, image.present) for image in report.warm_images] == [
        ("odoo-docker:verify-devtools", True),
        ("odoo-docker:verify-runtime", True),
    ]
    assert [(builder.name, builder.node, builder.state) for builder in report.warm_builders] == [
        ("odoo-docker-chris-testing", "odoo-docker-chris-testing0", "warm"),
        ("odoo-enterprise-chris-testing", "odoo-enterprise-chris-testing0", "warm"),
    ]


@pytest.mark.req("H9")
@pytest.mark.parametrize("others", [["ci1"], ["ci1", "ci2"]])
def test_a_builder_whose_first_node_is_not_there_is_missing_whoever_has_its_name_and_a_number(
    others: list[str],
) -> None:
    report = report_of(a_host_with_builders(*others), rules=policy(required_builders=("ci",)))
    assert [(builder.node, builder.state) for builder in report.warm_builders] == [("ci", "missing")]
    assert [finding.code for finding in report.findings if "builder" in finding.summary] == ["required_warm_missing"]


def test_of_a_builder_with_several_nodes_each_is_said() -> None:
    report = report_of(a_host_with_builders("ci", "ci1"), rules=policy(required_builders=("ci",)))
    assert [(builder.node, builder.state) for builder in report.warm_builders] == [("ci0", "warm"), ("ci10", "warm")]


def a_host_with_builders(*names: str) -> Inventory:
    """A host on which the first node of each builder runs."""
    containers, volumes = zip(*map(a_warm_builder, names), strict=True)
    inventory = an_inventory([BUILDKIT], containers=containers, volumes=volumes)
    return inventory.model_copy(update={"builders": tuple(pair(containers, volumes, {}, {}))})


@pytest.mark.req("H7")
@pytest.mark.parametrize(
    ("volume", "unmeasured", "reason"),
    [
        ({"ref_count": None}, {}, "references to its state volume"),
        ({}, {"services": "a worker cannot see them"}, "a worker cannot see them"),
    ],
)
def test_orphans_that_nobody_can_tell_are_not_counted_as_none(
    volume: dict[str, Any], unmeasured: dict[str, str], reason: str
) -> None:
    left = a_volume("buildx_buildkit_old0_state").model_copy(update=volume)
    inventory = an_inventory(volumes=[left], builders=pair([], [left], {}, {}), unmeasured=unmeasured)
    report = report_of(inventory)
    assert report.orphan_buildkit_volumes is None
    assert reason in report.unmeasured["orphan_buildkit_volumes"]


@pytest.mark.req("H2")
def test_the_json_of_the_report_has_the_names_that_others_read() -> None:
    fields = report_of(the_field_host(), rules=WARM).model_dump(mode="json")
    assert {"host", "status", "free_disk_bytes", "docker_reclaimable_bytes", "runner_workdir_bytes"} <= fields.keys()
    assert {"orphan_buildkit_containers", "orphan_buildkit_volumes", "warm_builders", "findings"} <= fields.keys()
    assert fields["docker_summary"].keys() == {"images", "containers", "volumes", "build_cache"}
    assert fields["docker_summary"]["images"].keys() == {"count", "active", "size_bytes", "reclaimable_bytes"}


@pytest.mark.req("H7")
def test_a_measured_zero_is_zero_and_has_no_reason() -> None:
    report = report_of(the_field_host(), readings(free=0, runner_roots=(EMPTY_WORK,)), WARM)
    assert (report.free_disk_bytes, report.runner_workdir_bytes) == (0, 0)
    assert not {"free_disk_bytes", "runner_workdir_bytes"} & report.unmeasured.keys()


@pytest.mark.req("H7")
@pytest.mark.req("H8")
def test_a_disk_that_was_not_read_is_null_with_the_reason() -> None:
    report = report_of(the_field_host(), readings(total=None, unmeasured={"free_disk_bytes": "permission denied"}))
    assert (report.free_disk_bytes, report.disk_total_bytes, report.disk_used_percent) == (None, None, None)
    assert report.unmeasured["free_disk_bytes"] == "permission denied"
    assert report.unattributed_bytes is None
    assert report.status == "attention"


@pytest.mark.req("H4")
@pytest.mark.parametrize("missing", ["images", "containers", "volumes", "build_cache"])
def test_one_missing_type_leaves_the_sum_and_what_could_go_unknown(missing: str) -> None:
    inventory = the_field_host()
    holed = inventory.model_copy(update={"summary": inventory.summary.model_copy(update={missing: None})})
    report = report_of(holed)
    assert report.docker_reclaimable_bytes is None
    assert report.joint_reclaim_bytes is None
    assert {"docker_reclaimable_bytes", "joint_reclaim_bytes"} <= report.unmeasured.keys()


@pytest.mark.req("H4")
def test_a_sum_that_no_canonical_number_can_hold_is_null_and_the_report_can_be_stored() -> None:
    inventory = the_field_host().model_copy(update={"summary": summary(*[2**53 - 1] * 4)})
    report = report_of(inventory)
    assert report.docker_reclaimable_bytes is None
    assert canonical(report)


@pytest.mark.req("H7")
def test_without_runner_folders_their_size_is_not_measured_and_that_is_no_finding() -> None:
    report = report_of(an_inventory(), host=a_host(runner_roots=[]))
    assert report.runner_workdir_bytes is None
    assert "no runner folders are set" in report.unmeasured["runner_workdir_bytes"]
    assert report.status == "healthy"


def test_the_work_of_all_runners_counts_as_the_disk_holds_it() -> None:
    folder = FolderSize(path="/srv/runners/a/_work", apparent_bytes=10, allocated_bytes=4096, files=1)
    root = EMPTY_WORK.model_copy(update={"work": (folder, folder), "diagnostics": (folder,)})
    assert report_of(an_inventory(), readings(runner_roots=(root,))).runner_workdir_bytes == 8192


def a_measured_host(**disk: Any) -> tuple[Inventory, Readings]:
    """Layers of 10 bytes, containers 1, volumes 2, own build cache 3, a log of 4, runner folders of 5."""
    types = [TypeSummary(count=1, active=0, size_bytes=size, reclaimable_bytes=0) for size in (10, 1, 2, 3)]
    figures = DockerSummary(images=types[0], containers=types[1], volumes=types[2], build_cache=types[3])
    inventory = an_inventory().model_copy(update={"summary": figures, "layers_bytes": 10})
    folder = FolderSize(path="/var/lib/docker", apparent_bytes=5, allocated_bytes=5, files=1)
    root = RunnerRoot(path="/var/lib/docker", work=(folder,), diagnostics=(), superseded=())
    logs = (ContainerLog(container_id="c", allocated_bytes=4),)
    fields: dict[str, Any] = {"total": 100, "free": 40, "runner_roots": (root,), "container_logs": logs}
    return inventory, readings(**(fields | disk))


@pytest.mark.req("X4")
def test_what_the_disk_holds_beyond_all_that_is_known_is_unattributed() -> None:
    assert report_of(*a_measured_host()).unattributed_bytes == 60 - 10 - 1 - 2 - 3 - 4 - 5


@pytest.mark.req("X4")
@pytest.mark.parametrize("missing", ["container_logs", "runner_roots"])
def test_what_is_left_is_unknown_as_soon_as_one_part_is(missing: str) -> None:
    inventory, reading = a_measured_host()
    report = report_of(inventory, reading.model_copy(update={missing: None}))
    assert report.unattributed_bytes is None
    assert "unattributed_bytes" in report.unmeasured


@pytest.mark.req("X4")
def test_where_docker_counts_more_than_the_disk_holds_nothing_is_left_and_it_is_said() -> None:
    report = report_of(*a_measured_host(free=90))
    assert report.unattributed_bytes is None
    assert report.unmeasured["unattributed_bytes"] == "Docker counts more bytes than its disk holds"


@pytest.mark.req("H10")
@settings(max_examples=40)
@given(scenes())
def test_a_report_is_healthy_exactly_when_it_has_no_findings(scene: Scene) -> None:
    observation = Observation(inventory=scene.inventory, readings=readings(), events=(), observed_at=NOW, duration_ms=1)
    judgement = Judgement(scene.inventory, scene.history, scene.policy, {}, now=NOW)
    report = build_report(a_host(), observation, judgement, scene.policy)
    assert (report.status == "healthy") is (not report.findings)
    assert canonical(report)
    for field, value in report:
        if value is None:
            assert field in report.unmeasured
