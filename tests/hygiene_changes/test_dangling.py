"""The labelled loop on a real engine: exactly the dangling images with the label, and nothing else."""

import docker
import pytest

from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.engine_things import an_image, image_ids
from tests.hygiene_changes.ways import DANGLING, applied, outcomes

pytestmark = [pytest.mark.engine, pytest.mark.django_db]


@pytest.mark.req("D2")
@pytest.mark.req("D4")
@pytest.mark.req("H19")
def test_exactly_the_dangling_images_with_the_label_go(
    client: docker.DockerClient, host: Host, operator: User, approver: User
) -> None:
    going = {an_image(client, f"labelled {number}", labelled=True) for number in range(3)}
    an_image(client, "unlabelled")
    an_image(client, "tagged", tag="ci/app:1", labelled=True)
    before = image_ids(client)

    change = applied(DANGLING, host, operator, approver)

    assert change.status == Change.Status.COMPLETED, change.sentence
    assert outcomes(change) == ["done"] * 3
    assert image_ids(client) == before - going
    assert change.actual_bytes == change.predicted_bytes == 3 * 2000
