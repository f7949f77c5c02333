"""Retirement on a real engine: what was named goes, volumes only with the phrase, and nothing else is touched."""

from collections.abc import Callable
from datetime import timedelta

import docker
import pytest
from django.utils import timezone

from launchplane.access.models import User
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host
from launchplane.problems import Refused
from launchplane.sandbox.dockerd import PrivateEngine
from tests import registry as registries
from tests.engine_things import a_container, a_volume_anew, an_image, image_ids
from tests.faults import EngineSocket, says
from tests.hygiene_changes.meddling import answered_by
from tests.hygiene_changes.ways import RETIRE, applied, approved, outcomes, person, phase_one_done, planned

pytestmark = [pytest.mark.engine, pytest.mark.django_db]


def blockers(change: Change) -> set[str]:
    return {blocker.code for blocker in change.planned().blockers}


@pytest.mark.req("H38")
@pytest.mark.req("H39")
@pytest.mark.each_database
def test_only_what_was_named_goes(client: docker.DockerClient, host: Host, operator: User, approver: User) -> None:
    old = an_image(client, "old", tag="app:old")
    dangling = an_image(client, "dangling")
    stopped = a_container(client, "app:old", "left-over")
    client.volumes.create("orphaned")
    client.volumes.create("database")
    new = an_image(client, "new", tag="app:new")
    phase_one_done(host)

    change = applied(
        RETIRE,
        host,
        operator,
        approver,
        phrase=host.name,
        items=["image:app:old", f"image:{dangling}", "container:left-over", "volume:orphaned"],
    )

    assert change.status == Change.Status.COMPLETED, change.sentence
    assert [(step.verb, step.outcome) for step in change.steps.all()] == [
        ("remove-container", "done"),
        ("remove-volume", "done"),
        ("remove-image", "done"),
        ("remove-image", "done"),
    ]
    assert image_ids(client) == {new}
    assert [volume.name for volume in client.volumes.list()] == ["database"]
    assert client.containers.list(all=True) == []
    assert {step.target for step in change.planned().steps} == {old, dangling, stopped.id, "orphaned"}


def test_a_volume_is_approved_with_the_hosts_name_only(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    client.volumes.create("orphaned")
    phase_one_done(host)

    with pytest.raises(Refused, match="chris-testing"):
        approved(RETIRE, host, operator, approver, items=["volume:orphaned"])


@pytest.mark.req("H34")
@pytest.mark.req("H35")
def test_before_phase_one_it_waits(client: docker.DockerClient, host: Host, operator: User, approver: User) -> None:
    an_image(client, "old", tag="app:old")

    change = applied(RETIRE, host, operator, approver, items=["image:app:old"])

    assert change.status == Change.Status.APPROVED
    assert "phase_one: No build cache clean-up with evidence" in change.sentence
    assert len(image_ids(client)) == 1


def tag_it(client: docker.DockerClient) -> None:
    client.images.get("app:old").tag("app", "precious")


def use_it(client: docker.DockerClient) -> None:
    a_container(client, "app:old", "new-user")


def replace_it(client: docker.DockerClient) -> None:
    client.images.remove("app:old")
    an_image(client, "another", tag="app:old")


def mount_it(client: docker.DockerClient) -> None:
    an_image(client, "other", tag="other:1")
    a_container(client, "other:1", "mounts-it", volumes={"orphaned": {"bind": "/data", "mode": "rw"}})


def make_it_anew(client: docker.DockerClient) -> None:
    a_volume_anew(client, "orphaned")


def use_it_for_a_moment(client: docker.DockerClient) -> None:
    a_container(client, "app:old", "job").remove()


def pull_it_again(client: docker.DockerClient) -> None:
    """The same image, by its digest: it has its tag and its id as before, and somebody wants it."""
    with registries.serving() as registry:
        name = f"{registry.address}/app"
        client.images.get("app:old").tag(name, "pushed")
        registry.push(client, f"{name}:pushed")
        (digest,) = client.images.get("app:old").attrs["RepoDigests"]
        client.images.remove(f"{name}:pushed")
        client.images.pull(digest)


@pytest.mark.req("X1")
@pytest.mark.parametrize(
    "meddle", [tag_it, use_it, replace_it, mount_it, make_it_anew, use_it_for_a_moment, pull_it_again]
)
def test_what_changed_since_the_plan_closes_it_and_nothing_is_removed(
    client: docker.DockerClient,
    host: Host,
    operator: User,
    approver: User,
    meddle: Callable[[docker.DockerClient], None],
) -> None:
    an_image(client, "old", tag="app:old")
    client.volumes.create("orphaned")
    phase_one_done(host)
    left: list[object] = []

    def meanwhile() -> None:
        meddle(client)
        left.extend([image_ids(client), {volume.name for volume in client.volumes.list()}])

    change = applied(
        RETIRE,
        host,
        operator,
        approver,
        meanwhile=meanwhile,
        phrase=host.name,
        items=["image:app:old", "volume:orphaned"],
    )

    assert (change.status, change.why_closed) == (Change.Status.CLOSED, Change.Why.STALE), change.sentence
    assert outcomes(change) == ["skipped", "skipped"]
    assert left == [image_ids(client), {volume.name for volume in client.volumes.list()}]


@pytest.mark.req("X1")
@pytest.mark.req("H22")
def test_another_engine_at_the_same_address_is_left_alone(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    an_image(client, "old", tag="app:old")
    phase_one_done(host)
    change = approved(RETIRE, host, operator, approver, items=["image:app:old"])
    stranger = {"/info": says({"ID": "SOMEBODY:ELSE", "DockerRootDir": "/var/lib/docker"})}

    with EngineSocket(stranger, upstream=str(own_engine.socket)) as door:
        answered_by(host, door.url)
        change = apply_change(find_change(change.pk), by=person(operator))

    assert change.status == Change.Status.APPROVED
    assert "Another engine answers: SOMEBODY:ELSE" in change.sentence
    assert {request.method for request in door.requests} == {"GET"}
    assert len(image_ids(client)) == 1


@pytest.mark.req("H45")
@pytest.mark.req("H22")
@pytest.mark.parametrize(
    ("items", "code"),
    [
        (["image:app:used"], "item_in_use"),
        (["container:runs"], "item_in_use"),
        (["volume:runner-state"], "item_protected"),
        (["image:nowhere:1"], "item_not_on_host"),
        (["build_cache:abc"], "not_by_name"),
        (["nonsense"], "item_not_on_host"),
        ([], "no_item_named"),
    ],
)
def test_what_must_not_go_blocks_the_plan(
    client: docker.DockerClient, host: Host, operator: User, items: list[str], code: str
) -> None:
    an_image(client, "used", tag="app:used")
    a_container(client, "app:used", "runs")
    client.volumes.create("runner-state")
    if "container:runs" in items:
        from tests.engine_things import a_running_container

        a_running_container(client, "runs-now")
        items = ["container:runs-now"]

    change = planned(RETIRE, host, operator, items=items)

    assert change.status == Change.Status.BLOCKED
    assert code in blockers(change)


@pytest.mark.parametrize(
    ("field", "code"), [("approved", "host_not_approved"), ("hygiene_enabled", "hygiene_not_enabled")]
)
@pytest.mark.req("H22")
def test_a_host_that_did_not_opt_in_is_planned_for_and_blocked(
    client: docker.DockerClient, host: Host, operator: User, field: str, code: str
) -> None:
    an_image(client, "old", tag="app:old")
    Host.objects.filter(pk=host.pk).update(**{field: False})

    change = planned(RETIRE, host, operator, items=["image:app:old"])

    assert code in blockers(change)
    assert change.planned().next_steps


@pytest.mark.req("X6")
def test_what_is_needed_to_get_it_back_is_in_the_plan(client: docker.DockerClient, host: Host, operator: User) -> None:
    an_image(client, "old", tag="app:old", labelled=True)
    client.volumes.create("orphaned", labels={"of": "nobody"})

    plan = planned(RETIRE, host, operator, items=["image:app:old", "volume:orphaned"]).planned()

    volume, image = plan.steps
    assert (volume.reversible, image.reversible) == ("no", "no")
    assert volume.undo["labels"] == {"of": "nobody"}
    assert image.undo["tags"] == ("app:old",)
    assert len(plan.facts["warnings"]) == 2  # type: ignore[arg-type]
    assert plan.predicted_bytes == 2000
    assert timezone.now() - host.snapshots.latest().observed_at < timedelta(minutes=1)
