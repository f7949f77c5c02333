"""Ten thousand images: looked at, judged, stored and listed in bounded time and memory."""

import resource
import time
from collections.abc import Iterator

import pytest
from django.test import Client

from hygiene.layers import keep_layers
from hygiene.models import Resource
from hygiene.reclaim import Layers
from launchplane.hosts.models import Host
from launchplane.hosts.services import add_host
from tests.factories import a_person, digest
from tests.faults import EngineSocket, plain_engine, says
from tests.shell import manage

pytestmark = pytest.mark.django_db

COUNT = 10_000
BASE = digest("base")


def image(number: int) -> dict[str, object]:
    """One of many images upon one base; every tenth has no tag, every hundredth a container."""
    return {
        "Id": digest(number),
        "RepoTags": [f"ci/build-{number % 50}:{number}"] if number % 10 else None,
        "RepoDigests": None,
        "Created": 1_700_000_000 + number,
        "Size": 1_000_000 + number,
        "SharedSize": 1_000_000,
        "Labels": {"ci.job": str(number), "ci.managed": "true"},
        "Containers": int(number % 100 == 0),
    }


@pytest.fixture
def engine() -> Iterator[EngineSocket]:
    images = [image(number) for number in range(COUNT)]
    document = {"LayersSize": 1_000_000 + sum(range(COUNT)), "Images": images, "Containers": [], "Volumes": []}
    with EngineSocket(plain_engine() | {"/system/df": says(document | {"BuildCache": []})}) as engine:
        yield engine


@pytest.fixture
def host(engine: EngineSocket) -> Host:
    """Its layers are known from earlier passes: reading ten thousand of them has a deadline and a test of its own."""
    host = add_host(name="big", docker_url=engine.url)
    keep_layers(host, {digest(n): Layers((BASE, digest(("own", n))), (1_000_000, n)) for n in range(COUNT)})
    return host


@pytest.mark.any_database
@pytest.mark.req("H47")
def test_ten_thousand_images_are_looked_at_in_bounded_time_and_memory_and_shown_in_pages(host: Host) -> None:
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()

    outcomes = [manage("hygiene", "report", "big", "--json") for _ in range(2)]

    assert time.process_time() - started < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 * 1024
    assert {outcome.json["docker_summary"]["images"]["count"] for outcome in outcomes} == {COUNT}
    assert Resource.objects.count() == COUNT
    browser = Client()
    browser.force_login(a_person())
    cut = browser.get("/v1/hosts/big/inventory", {"limit": "50"}).json()
    assert (cut["total"], cut["truncated"], len(cut["resources"])) == (COUNT, True, 50)
    page = browser.get("/hosts/big/inventory/")
    assert page.status_code == 200
    assert len(page.content) < 500_000
