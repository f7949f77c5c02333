"""Builders on a real engine: those that run when a host is added are required warm, what gone ones left is found."""

from collections.abc import Iterator

import docker
import pytest
from docker.types import Mount

from hygiene.contracts import ResourceRow
from hygiene.inventory import HostView, latest
from hygiene.services import observe_host
from launchplane.hosts.models import Host, RequiredWarm
from launchplane.sandbox.leftovers import BUILDKIT, ORPHAN_STATE, WARM_BUILDER

pytestmark = [pytest.mark.engine, pytest.mark.django_db]

NODE = WARM_BUILDER.removeprefix("buildx_buildkit_")


def look(host: Host) -> HostView:
    observe_host(host, asked_by="a test")
    view = latest(host)
    assert view is not None
    return view


def row(view: HostView, kind: str, name: str) -> ResourceRow:
    return next(row for row in view.rows if row.kind == kind and row.name == name)


@pytest.fixture
def second_builder(host: Host, client: docker.DockerClient) -> Iterator[str]:
    """A builder that starts after the first observation."""
    look(host)
    name = "buildx_buildkit_late0"
    mounts = [Mount("/var/lib/buildkit", f"{name}_state")]
    container = client.containers.create(BUILDKIT, name=name, mounts=mounts, network_mode="none")
    container.start()
    yield "late0"
    container.remove(v=True, force=True)
    client.volumes.get(f"{name}_state").remove()


@pytest.fixture
def stopped_warm_builder(host: Host, client: docker.DockerClient) -> Iterator[None]:
    """The warm builder, stopped after the first observation."""
    look(host)
    container = client.containers.get(WARM_BUILDER)
    container.stop(timeout=0)
    yield
    container.start()


@pytest.mark.req("H31")
def test_a_builder_that_runs_at_the_first_observation_is_entered_as_required(host: Host) -> None:
    look(host)

    required = list(host.required_warm.values_list("kind", "name", "reason"))
    assert required == [(RequiredWarm.Kind.BUILDER, NODE, "It ran when the host was added.")]


@pytest.mark.req("H43")
@pytest.mark.parametrize(
    ("kind", "name"),
    [("builder", NODE), ("container", WARM_BUILDER), ("volume", f"{WARM_BUILDER}_state"), ("image", BUILDKIT)],
)
def test_each_part_of_a_required_builder_is_protected(host: Host, kind: str, name: str) -> None:
    found = row(look(host), kind, name)

    assert (found.cls, found.rule) == ("protected", "required_warm")
    assert found.reason == f"Required warm on this host: part of builder {NODE}."


@pytest.mark.req("H31")
def test_the_report_names_the_warm_builder_with_container_and_volume(host: Host) -> None:
    warm = look(host).report.warm_builders

    assert [builder.model_dump() for builder in warm] == [
        {
            "name": NODE,
            "node": NODE,
            "container": WARM_BUILDER,
            "volume": f"{WARM_BUILDER}_state",
            "state": "warm",
        }
    ]


@pytest.mark.usefixtures("stopped_warm_builder")
def test_a_required_builder_that_is_stopped_is_a_finding_and_stays_protected(host: Host) -> None:
    view = look(host)

    assert [builder.state for builder in view.report.warm_builders] == ["stopped"]
    assert "required_warm_missing" in {finding.code for finding in view.report.findings}
    assert row(view, "container", WARM_BUILDER).cls == "protected"
    assert row(view, "volume", f"{WARM_BUILDER}_state").cls == "protected"


def test_a_builder_that_starts_later_is_kept_and_shown_as_unlisted(host: Host, second_builder: str) -> None:
    found = row(look(host), "builder", second_builder)

    assert (found.cls, found.rule) == ("kept", "builder.unlisted")
    assert not host.required_warm.filter(name=second_builder).exists()


@pytest.mark.req("H9")
def test_a_state_volume_without_a_container_is_reported_as_an_orphan(host: Host) -> None:
    view = look(host)

    assert view.report.orphan_buildkit_volumes == 1
    assert view.report.orphan_buildkit_containers == view.report.orphan_buildkit_images == 0
    finding = next(finding for finding in view.report.findings if finding.code == "orphan_buildkit_present")
    assert finding.summary == "Builders that are gone left 1 state volume; removing them frees 3.146 MB."
    found = row(view, "volume", ORPHAN_STATE)
    assert (found.cls, found.rule) == ("candidate", "builder.orphan")


@pytest.mark.req("X5")
def test_what_a_container_used_between_two_passes_is_known_by_its_events(
    host: Host, client: docker.DockerClient
) -> None:
    before = look(host)
    volumes = {"shop_database_2023": {"bind": "/data", "mode": "rw"}}
    client.containers.run("shop/api:latest", ["sh", "-c", ":"], volumes=volumes, network_mode="none", remove=True)

    after = look(host)

    for kind, name in (("image", "shop/api:latest"), ("volume", "shop_database_2023")):
        first, then = row(before, kind, name), row(after, kind, name)
        assert (first.last_used_at, first.last_used_confidence) == (None, "never_seen")
        assert then.last_used_confidence == "event"
        assert then.last_used_at is not None
        assert before.snapshot.observed_at < then.last_used_at < after.snapshot.observed_at
