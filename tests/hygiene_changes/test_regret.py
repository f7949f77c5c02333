"""What was removed and is needed after all is noticed by the next observation, once, and shown where it was removed."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import docker
import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from audits.models import AuditRecord
from hygiene.models import ObservationRun, Regret
from hygiene.services import observe_host
from launchplane.access.models import User
from launchplane.changes.models import Change, Step
from launchplane.hosts.models import Host
from tests import registry as registries
from tests.changes.test_bad_domain import no_audit
from tests.engine_things import a_container, an_image
from tests.hygiene_changes.ways import RETIRE, applied, phase_one_done
from tests.proof.things import an_image_in
from tests.registry import Registry
from tests.web.reading import text_of

pytestmark = [pytest.mark.engine, pytest.mark.django_db]

Observe = Callable[[], object]
Retire = Callable[..., Change]


@pytest.fixture
def observe(host: Host, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Observe:
    """One observation, with what happens once it is stored."""

    def once() -> None:
        with django_capture_on_commit_callbacks(execute=True):
            observe_host(host, asked_by="a test")

    return once


@pytest.fixture
def retire(host: Host, operator: User, approver: User) -> Retire:
    """Retire these items; volumes too."""

    def these(*items: str, phrase: str = "") -> Change:
        phase_one_done(host)
        change = applied(RETIRE, host, operator, approver, items=list(items), phrase=phrase)
        assert change.status == Change.Status.COMPLETED, change.sentence
        return change

    return these


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with registries.serving() as registry:
        yield registry


@pytest.mark.req("X7")
def test_an_image_that_is_built_again_is_a_regret(
    client: docker.DockerClient, host: Host, observe: Observe, retire: Retire
) -> None:
    an_image(client, "old", tag="app:1")
    change = retire("image:app:1")
    an_image(client, "built anew", tag="app:1")

    for _ in range(2):
        observe()

    regret = Regret.objects.get()
    assert (regret.step.change, regret.name, regret.host) == (change, "app:1", host)
    record = AuditRecord.objects.get(kind="hygiene.regret", key=str(change.pk))
    assert '"is_back_as":"app:1"' in record.payload


@pytest.mark.req("X6")
@pytest.mark.req("X7")
def test_what_is_kept_of_a_pulled_image_gets_it_back_and_that_is_a_regret(
    client: docker.DockerClient, registry: Registry, observe: Observe, retire: Retire
) -> None:
    name = an_image_in(registry, client, "precious")
    was = client.images.pull(name).id
    change = retire(f"image:{name}")
    (step,) = change.planned().steps

    client.images.pull(str(step.undo["pull"]))
    observe()

    assert client.images.get(was).id == was
    assert (step.reversible, step.undo["tags"]) == ("yes", (name,))
    assert Regret.objects.get().name == was


@pytest.mark.req("X6")
def test_what_is_kept_is_on_record_before_anything_goes(client: docker.DockerClient, retire: Retire) -> None:
    an_image(client, "old", tag="app:1", labelled=True)

    change = retire("image:app:1")

    first = AuditRecord.objects.filter(key=str(change.pk), status="planned").earliest("seq")
    ended = AuditRecord.objects.filter(key=str(change.pk), kind=RETIRE, status="completed").get()
    assert first.seq < ended.seq
    assert '"tags":["app:1"]' in first.payload
    assert '"labels":{"ci.managed":"true"}' in first.payload


@pytest.mark.req("X7")
def test_a_volume_of_the_same_name_is_one(client: docker.DockerClient, observe: Observe, retire: Retire) -> None:
    client.volumes.create("data")
    retire("volume:data", phrase="chris-testing")
    client.volumes.create("data")

    observe()

    assert Regret.objects.get().name == "data"


@pytest.mark.req("X7")
def test_another_container_of_the_same_name_is_none(
    client: docker.DockerClient, observe: Observe, retire: Retire
) -> None:
    an_image(client, "app", tag="app:1")
    a_container(client, "app:1", "job")
    retire("container:job")
    a_container(client, "app:1", "job")

    observe()

    assert not Regret.objects.exists()


@pytest.mark.req("X7")
def test_what_stays_away_is_none(client: docker.DockerClient, observe: Observe, retire: Retire) -> None:
    an_image(client, "old", tag="app:1")
    retire("image:app:1")

    observe()

    assert not Regret.objects.exists()


@pytest.mark.req("X7")
@pytest.mark.parametrize(("hours", "regrets"), [(71, 1), (73, 0)])
def test_after_three_days_nobody_calls_it_one(
    client: docker.DockerClient, observe: Observe, retire: Retire, hours: int, regrets: int
) -> None:
    an_image(client, "old", tag="app:1")
    retire("image:app:1")
    for step in Step.objects.all():
        Step.objects.filter(pk=step.pk).update(finished_at=step.finished_at - timedelta(hours=hours))  # type: ignore[operator]
    an_image(client, "built anew", tag="app:1")

    observe()

    assert Regret.objects.count() == regrets


@pytest.mark.req("X7")
@pytest.mark.each_database
def test_one_that_cannot_be_recorded_stops_no_observation_and_is_noticed_by_the_next(
    client: docker.DockerClient, host: Host, observe: Observe, retire: Retire
) -> None:
    an_image(client, "old", tag="app:1")
    retire("image:app:1")
    an_image(client, "built anew", tag="app:1")

    with no_audit():
        observe()

    assert host.runs.first().status == ObservationRun.Status.DONE  # type: ignore[union-attr]
    assert not Regret.objects.exists()
    observe()
    assert Regret.objects.get().name == "app:1"


@pytest.mark.req("X7")
def test_the_page_of_the_change_shows_it_at_the_item(
    client: docker.DockerClient, observe: Observe, retire: Retire, operator: User
) -> None:
    an_image(client, "old", tag="app:1")
    an_image(client, "other", tag="other:1")
    change = retire("image:app:1", "image:other:1")
    an_image(client, "built anew", tag="app:1")
    observe()
    browser = Client()
    browser.force_login(operator)

    page = text_of(browser.get(f"/changes/{change.pk}/"))

    assert page.count("somebody needed it") == 1
    assert "Was there again as app:1 when the host was looked at just now: somebody needed it." in page
