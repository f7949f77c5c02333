"""`manage.py hygiene report|inventory`: the contract that programs read, and what people are shown."""

from typing import Any

import pytest

from hygiene.contracts import Kind
from launchplane.hosts.models import Host
from tests.factories import GB, a_busy_inventory, a_host, a_volume, an_image, an_inventory, observed, readings
from tests.shell import manage

pytestmark = pytest.mark.django_db

# The names are used from outside: a change of one breaks somebody's program.
REPORT = [
    "host",
    "engine_id",
    "engine_version",
    "api_version",
    "observed_at",
    "duration_ms",
    "status",
    "free_disk_bytes",
    "disk_total_bytes",
    "disk_used_percent",
    "docker_reclaimable_bytes",
    "docker_summary",
    "joint_reclaim_bytes",
    "unattributed_bytes",
    "runner_workdir_bytes",
    "orphan_buildkit_containers",
    "orphan_buildkit_images",
    "orphan_buildkit_volumes",
    "warm_builders",
    "warm_images",
    "competing_prunes",
    "findings",
    "unmeasured",
]
SUMMARY = ["images", "containers", "volumes", "build_cache"]
SUMMARY_LINE = ["count", "active", "size_bytes", "reclaimable_bytes"]
INVENTORY = ["host", "observed_at", "total", "truncated", "resources"]
RESOURCE = [
    "kind",
    "key",
    "name",
    "size_bytes",
    "shared_bytes",
    "unique_bytes",
    "created_at",
    "last_used_at",
    "last_used_confidence",
    "labels",
    "in_use_by",
    "class",
    "rule",
    "reason",
    "first_seen",
    "details",
]
DETAILS = {
    "image": ["tags", "digests", "dangling"],
    "volume": ["driver", "mountpoint", "ref_count"],
    "container": ["image", "state", "mounts"],
}


@pytest.fixture
def busy() -> Host:
    """A host with something of everything, observed once."""
    host = a_host("busy")
    host.required_warm.create(kind="image", name="odoo-docker:verify-runtime")
    observed(host, a_busy_inventory())
    return host


@pytest.fixture
def tidy() -> Host:
    """A host on which nothing is wrong."""
    host = a_host("tidy")
    observed(host, an_inventory([an_image("web:1")]))
    return host


def report(name: str) -> Any:
    return manage("hygiene", "report", name, "--stored", "--json").json


def inventory(name: str, *options: str) -> Any:
    return manage("hygiene", "inventory", name, "--json", *options).json


@pytest.mark.req("H2")
def test_a_report_has_exactly_these_fields(busy: Host) -> None:
    found = report("busy")

    assert list(found) == REPORT
    assert list(found["docker_summary"]) == SUMMARY
    assert [list(line) for line in found["docker_summary"].values()] == [SUMMARY_LINE] * 4
    assert [list(item) for item in found["warm_builders"]] == [["name", "node", "container", "volume", "state"]]
    assert [list(item) for item in found["warm_images"]] == [["ref", "id", "present"]]
    assert {tuple(item) for item in found["findings"]} == {("code", "summary", "next_step")}


@pytest.mark.req("H41")
@pytest.mark.req("H42")
def test_an_inventory_has_exactly_these_fields(busy: Host) -> None:
    found = inventory("busy")

    assert list(found) == INVENTORY
    assert {tuple(row) for row in found["resources"]} == {tuple(RESOURCE)}
    details = {row["kind"]: list(row["details"]) for row in found["resources"]}
    assert {kind: details[kind] for kind in DETAILS} == DETAILS
    assert details.keys() == {kind.value for kind in Kind}


@pytest.mark.req("H10")
def test_a_report_ends_with_0_exactly_if_the_host_is_healthy(busy: Host, tidy: Host) -> None:
    codes = {name: manage("hygiene", "report", name, "--stored", "--json").code for name in ("busy", "tidy")}

    assert codes == {"busy": 3, "tidy": 0}
    assert {name: report(name)["status"] for name in codes} == {"busy": "attention", "tidy": "healthy"}
    assert bool(report("busy")["findings"]) is True
    assert report("tidy")["findings"] == []


@pytest.mark.parametrize("words", [("report", "--stored"), ("inventory",)])
def test_a_host_that_was_never_observed_has_neither(words: tuple[str, ...]) -> None:
    a_host("new")

    outcome = manage("hygiene", words[0], "new", "--json", *words[1:])

    assert (outcome.code, outcome.error["code"]) == (2, "never_observed")
    assert outcome.err == "new was never observed. `manage.py hygiene report new` looks at it now."


@pytest.mark.req("H8")
def test_people_are_told_what_is_not_measured_and_never_a_zero() -> None:
    host = a_host("dark")
    observed(host, an_inventory([], volumes=[a_volume("of-a-plugin", size=None)]), reading=readings(total=None))

    outcome = manage("hygiene", "report", "dark", "--stored")

    assert outcome.code == 3
    assert "Free disk: not measured of not measured." in outcome.out
    assert "? free_disk_bytes is not measured: statvfs /var/lib/docker: permission denied" in outcome.out
    assert "not measured" in manage("hygiene", "inventory", "dark").out


def test_people_see_the_summary_the_findings_and_what_to_do(busy: Host) -> None:
    printed = manage("hygiene", "report", "busy", "--stored").out

    assert printed.startswith("busy: attention. Docker 26.1.5, observed ")
    assert "Free disk: 332 GB of 512 GB, 36 % used." in printed
    assert [line.split()[0] for line in printed.splitlines()[3:8]] == [
        "type",
        "Images",
        "Containers",
        "Volumes",
        "Build",
    ]
    assert "! orphan_buildkit_present: Builders that are gone left 1 state volume" in printed


@pytest.mark.req("H47")
def test_the_order_of_an_inventory_is_the_same_each_time(busy: Host) -> None:
    first, second = inventory("busy"), inventory("busy")

    assert first == second
    sizes = [row["size_bytes"] for row in first["resources"] if row["size_bytes"] is not None]
    assert sizes == sorted(sizes, reverse=True)
    assert first["resources"][len(sizes) :] == [row for row in first["resources"] if row["size_bytes"] is None]


def test_an_inventory_of_one_kind_has_only_that(busy: Host) -> None:
    found = inventory("busy", "--kind", "volume")

    assert {row["kind"] for row in found["resources"]} == {"volume"}
    assert found["total"] == len(found["resources"]) == 4


@pytest.mark.req("H47")
def test_a_long_inventory_says_how_much_of_it_is_shown() -> None:
    observed(a_host("long"), an_inventory(volumes=[a_volume(f"v{number}", size=number * GB) for number in range(250)]))

    printed = manage("hygiene", "inventory", "long").out
    whole = inventory("long")

    assert printed.splitlines()[-1] == "250 resources on long, the 200 largest of them shown; --json prints all."
    assert (whole["total"], whole["truncated"], len(whole["resources"])) == (250, False, 250)
