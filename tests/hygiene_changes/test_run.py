"""What a run looks at while it goes on and afterwards: builds that begin, warm things that must stay, the figures."""

import json

import docker
import pytest

from launchplane.access.models import User
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.requests import find_change
from launchplane.hosts.models import Host, RequiredWarm
from launchplane.sandbox.dockerd import PrivateEngine
from tests.engine_things import a_builder, an_image, image_ids
from tests.hygiene_changes.meddling import at_removal, meddling
from tests.hygiene_changes.ways import (
    DANGLING,
    RETIRE,
    applied,
    approved,
    person,
    phase_one_done,
    planned,
)

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.each_database]


@pytest.mark.req("H15")
def test_a_build_that_runs_already_keeps_it_from_beginning(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    a_builder(client, "ci0", idle=False)
    an_image(client, "old", tag="app:old")
    phase_one_done(host)

    change = applied(RETIRE, host, operator, approver, items=["image:app:old"])

    assert change.status == Change.Status.APPROVED
    assert "no_build: ci0 has been building for" in change.sentence


@pytest.mark.req("H32")
def test_a_required_image_that_is_missing_afterwards_fails_the_run(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    an_image(client, "warm", tag="app:warm")
    an_image(client, "labelled", labelled=True)
    RequiredWarm.objects.create(host=host, kind=RequiredWarm.Kind.IMAGE, name="app:warm")
    change = approved(DANGLING, host, operator, approver)

    with meddling(host, own_engine, at_removal(1), lambda: client.images.remove("app:warm")):
        change = apply_change(find_change(change.pk), by=person(operator))

    assert change.status == Change.Status.FAILED
    assert "Missing after the run: required image app:warm" in change.sentence


@pytest.mark.req("H32")
def test_a_required_builder_that_stopped_during_the_run_fails_it(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    builder = a_builder(client, "ci0")
    an_image(client, "labelled", labelled=True)
    change = approved(DANGLING, host, operator, approver)

    with meddling(host, own_engine, at_removal(1), builder.kill):
        change = apply_change(find_change(change.pk), by=person(operator))

    assert change.status == Change.Status.FAILED
    assert "required builder ci0 (stopped)" in change.sentence


@pytest.mark.req("H22")
def test_a_required_image_that_is_missing_before_blocks_the_plan(
    client: docker.DockerClient, host: Host, operator: User
) -> None:
    RequiredWarm.objects.create(host=host, kind=RequiredWarm.Kind.IMAGE, name="app:warm")

    change = planned(DANGLING, host, operator)

    assert [blocker.code for blocker in change.planned().blockers] == ["required_warm_missing"]


@pytest.mark.req("H48")
@pytest.mark.req("X3")
def test_the_figures_before_and_after_are_kept_and_held_against_the_prediction(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    an_image(client, "big", labelled=True, size=5_000_000)

    change = applied(DANGLING, host, operator, approver)

    before, after = json.loads(change.before), json.loads(change.after)
    freed = after["facts"]["freed"]
    assert (freed["by_df_bytes"], freed["by_deleted_bytes"], freed["disagree"]) == (5_000_000, 5_000_000, False)
    assert before["facts"]["docker_bytes"] - after["facts"]["docker_bytes"] == 5_000_000
    assert before["facts"]["disk"]["used_percent"] > 0
    assert change.actual_bytes == change.predicted_bytes == 5_000_000
    assert image_ids(client) == set()


@pytest.mark.req("H48")
def test_figures_that_disagree_are_flagged(
    client: docker.DockerClient, host: Host, own_engine: PrivateEngine, operator: User, approver: User
) -> None:
    an_image(client, "big", labelled=True, size=5_000_000)
    change = approved(DANGLING, host, operator, approver)

    with meddling(host, own_engine, at_removal(1), lambda: build_meanwhile(client)):
        change = apply_change(find_change(change.pk), by=person(operator))

    freed = json.loads(change.after)["facts"]["freed"]
    assert freed["disagree"] is True
    assert freed["by_deleted_bytes"] == 5_000_000
    assert freed["by_df_bytes"] < 0


def build_meanwhile(client: docker.DockerClient) -> None:
    an_image(client, "made meanwhile", tag="new:1", size=20_000_000)
