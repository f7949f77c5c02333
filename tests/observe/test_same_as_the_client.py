"""What the report and the inventory say is what the engine's own client says, rounded as that client rounds."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import docker
import pytest
from docker.types import Mount

from hygiene.contracts import DockerSummary, Inventory, Report, ResourceRow, TypeSummary
from hygiene.inventory import HostView, latest
from hygiene.parse.sizes import parse_df_lines, parse_size
from hygiene.services import observe_host
from hygiene.snapshots import stored_report
from launchplane.hosts.command import run
from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from tests.client import human_size

pytestmark = [pytest.mark.engine, pytest.mark.django_db]

# the engine's own client: another one may come first on the PATH
CLIENT = "/usr/bin/docker"
TITLES = {"Images": "images", "Containers": "containers", "Local Volumes": "volumes", "Build Cache": "build_cache"}


def ask(engine: PrivateEngine, *words: str) -> str:
    result = run([CLIENT, "-H", engine.url, *words], timeout_seconds=20)
    assert result.returncode == 0, result.stderr
    return result.stdout


def lines(engine: PrivateEngine, *words: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in ask(engine, *words, "--format", "{{json .}}").splitlines()]


def report_of(host: Host) -> Report:
    run_ = observe_host(host, asked_by="a test")
    assert run_.snapshot is not None
    return stored_report(run_.snapshot)


def view_of(host: Host) -> HostView:
    observe_host(host, asked_by="a test")
    view = latest(host)
    assert view is not None
    return view


def as_the_client_prints(line: TypeSummary | None) -> tuple[str, str, str, str]:
    assert line is not None and line.size_bytes is not None and line.reclaimable_bytes is not None
    return str(line.count), str(line.active), human_size(line.size_bytes), human_size(line.reclaimable_bytes)


def summary_as_printed(summary: DockerSummary) -> dict[str, tuple[str, str, str, str]]:
    return {title: as_the_client_prints(getattr(summary, name)) for title, name in TITLES.items()}


def client_summary(engine: PrivateEngine) -> dict[str, tuple[str, str, str, str]]:
    return {
        line["Type"]: (line["TotalCount"], line["Active"], line["Size"], line["Reclaimable"].split(" ")[0])
        for line in lines(engine, "system", "df")
    }


@pytest.fixture
def more_containers(client: docker.DockerClient) -> Iterator[None]:
    """Beside what is planted: one that runs and holds two volumes, a paused one, a created and a stopped one."""
    mounts = [Mount("/a", "shop_database_2023"), Mount("/b", None)]
    make = partial(client.containers.create, network_mode="none")
    write = ["sh", "-c", "dd if=/dev/urandom of=/written bs=1M count=1; : > /done; sleep 600"]
    running = make("shop/web:1.4", write, name="busy", mounts=mounts)
    paused = make("shop/web:1.4", ["sleep", "600"], name="paused")
    stopped = make("shop/api:latest", ["dd", "if=/dev/zero", "of=/written", "bs=1k", "count=7"], name="ended")
    created = make("shop/api:latest", [], name="created", mounts=[Mount("/c", "fresh")])
    for container in (running, paused, stopped):
        container.start()
    paused.pause()
    stopped.wait(timeout=10)
    running.exec_run(["sh", "-c", "while [ ! -e /done ]; do sleep 0.05; done"])
    yield
    paused.unpause()
    for container in (running, paused, stopped, created):
        container.remove(v=True, force=True)
    client.volumes.get("fresh").remove()


@pytest.mark.req("H3")
def test_the_summary_is_what_system_df_prints(host: Host, planted_engine: PrivateEngine) -> None:
    report = report_of(host)

    assert summary_as_printed(report.docker_summary) == client_summary(planted_engine)


@pytest.mark.req("H3")
@pytest.mark.usefixtures("more_containers")
def test_the_summary_is_what_system_df_prints_with_containers_in_every_state(
    host: Host, planted_engine: PrivateEngine
) -> None:
    report = report_of(host)

    assert summary_as_printed(report.docker_summary) == client_summary(planted_engine)
    containers = report.docker_summary.containers
    assert containers is not None
    assert (containers.count, containers.active) == (8, 4)


@pytest.mark.req("H3")
def test_reclaimable_is_the_sum_of_what_system_df_prints(host: Host, planted_engine: PrivateEngine) -> None:
    report = report_of(host)

    printed = [parse_size(reclaimable) or 0 for *_, reclaimable in client_summary(planted_engine).values()]
    assert report.docker_reclaimable_bytes is not None
    # four figures of four significant digits each, so each up to 5 kB off
    assert abs(report.docker_reclaimable_bytes - sum(printed)) < 4 * 5_000


@pytest.mark.req("H5")
@pytest.mark.parametrize(
    "form",
    [[], ["--format", "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"]],
    ids=["plain", "table"],
)
def test_the_text_of_system_df_parses_to_the_same_figures(
    host: Host, planted_engine: PrivateEngine, form: list[str]
) -> None:
    report = report_of(host)

    parsed = parse_df_lines(ask(planted_engine, "system", "df", *form))

    assert summary_as_printed(parsed) == summary_as_printed(report.docker_summary)


@pytest.mark.req("H41")
def test_each_image_has_the_names_and_sizes_that_the_client_lists(host: Host, planted_engine: PrivateEngine) -> None:
    rows = [row for row in view_of(host).rows if row.kind == "image"]

    listed = lines(planted_engine, "images", "--no-trunc", "--digests")
    assert {(name, row.key, short(row.size_bytes)) for row in rows for name in names_of(row)} == {
        (f"{line['Repository']}:{line['Tag']}", line["ID"], line["Size"]) for line in listed
    }


@pytest.mark.req("H41")
def test_each_image_has_the_shared_and_unique_size_and_the_containers_of_the_client(
    host: Host, planted_engine: PrivateEngine
) -> None:
    rows = [row for row in view_of(host).rows if row.kind == "image"]

    listed = json.loads(ask(planted_engine, "system", "df", "-v", "--format", "{{json .}}"))["Images"]
    assert {(row.key, human(row.shared_bytes), human(row.unique_bytes), str(len(row.in_use_by))) for row in rows} == {
        (line["ID"], line["SharedSize"], line["UniqueSize"], line["Containers"]) for line in listed
    }


@pytest.mark.req("H42")
def test_each_volume_has_the_driver_place_labels_and_size_of_the_client(
    host: Host, planted_engine: PrivateEngine
) -> None:
    rows = [row for row in view_of(host).rows if row.kind == "volume"]

    places = {(line["Name"], line["Driver"], line["Mountpoint"]) for line in lines(planted_engine, "volume", "ls")}
    assert {(row.name, row.details["driver"], row.details["mountpoint"]) for row in rows} == places
    sized = json.loads(ask(planted_engine, "system", "df", "-v", "--format", "{{json .}}"))["Volumes"]
    assert {(row.name, human(row.size_bytes), str(row.details["ref_count"]), labels(row)) for row in rows} == {
        (line["Name"], line["Size"], line["Links"], line["Labels"]) for line in sized
    }


def test_each_container_has_the_image_state_and_size_of_the_client(host: Host, planted_engine: PrivateEngine) -> None:
    rows = [row for row in view_of(host).rows if row.kind == "container"]

    listed = lines(planted_engine, "ps", "--all", "--size", "--no-trunc")
    assert {(row.key, row.name, row.details["image"], row.details["state"], short(row.size_bytes)) for row in rows} == {
        (line["ID"], line["Names"], line["Image"], line["State"], line["Size"].split(" ")[0]) for line in listed
    }


def test_each_cache_record_has_the_size_and_use_of_the_client(host: Host, planted_engine: PrivateEngine) -> None:
    inventory: Inventory = view_of(host).inventory

    listed: list[dict[str, Any]] = json.loads(ask(planted_engine, "system", "df", "-v", "--format", "{{json .}}"))[
        "BuildCache"
    ]
    assert {
        (record.id[:12], short(record.size_bytes), str(record.usage_count), str(record.shared).lower())
        for record in inventory.build_cache
        if not record.builder
    } == {(line["ID"][:12], line["Size"], line["UsageCount"], line["Shared"]) for line in listed}


def human(size_bytes: int | None) -> str:
    return "N/A" if size_bytes is None else human_size(size_bytes)


def short(size_bytes: int | None) -> str:
    """As the client prints sizes in lists: three significant digits."""
    return "N/A" if size_bytes is None else human_size(size_bytes, digits=3)


def names_of(row: ResourceRow) -> tuple[str, ...]:
    tags = row.details["tags"]
    assert isinstance(tags, tuple)
    return tags or ("<none>:<none>",)


def labels(row: ResourceRow) -> str:
    return ",".join(f"{name}={value}" for name, value in row.labels.items())
