"""What was removed and is needed after all is noticed by the next observation, once."""

import docker
import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks

from audits.models import AuditRecord
from hygiene.models import Regret
from hygiene.services import observe_host
from launchplane.access.models import User
from launchplane.hosts.models import Host
from tests.engine_things import an_image
from tests.hygiene_changes.ways import RETIRE, applied, phase_one_done

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.req("X7")]


def test_an_image_that_is_built_again_is_a_regret(
    client: docker.DockerClient,
    host: Host,
    operator: User,
    approver: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    an_image(client, "old", tag="app:1")
    phase_one_done(host)
    change = applied(RETIRE, host, operator, approver, items=["image:app:1"])
    an_image(client, "built anew", tag="app:1")

    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            observe_host(host, asked_by="a test")

    regret = Regret.objects.get()
    assert (regret.step.change, regret.name, regret.host) == (change, "app:1", host)
    assert AuditRecord.objects.filter(kind="hygiene.regret", key=str(change.pk)).count() == 1


def test_what_stays_away_is_none(
    client: docker.DockerClient,
    host: Host,
    operator: User,
    approver: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    an_image(client, "old", tag="app:1")
    phase_one_done(host)
    applied(RETIRE, host, operator, approver, items=["image:app:1"])

    with django_capture_on_commit_callbacks(execute=True):
        observe_host(host, asked_by="a test")

    assert not Regret.objects.exists()
