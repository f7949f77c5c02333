"""Observe now, and how far it is."""

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from hygiene.models import ObservationRun
from launchplane.hosts.models import Host
from tests.web.reading import text_of


def test_observe_now_queues_one_run_and_shows_it(visitor: Client, host: Host) -> None:
    page = text_of(visitor.post(f"/hosts/{host.name}/observe/", follow=True))
    assert "Waits for a worker, asked for by operator" in page
    visitor.post(f"/hosts/{host.name}/observe/")
    assert ObservationRun.objects.filter(host=host).count() == 1
    assert OrmQ.objects.count() == 1


@pytest.fixture
def running(host: Host) -> ObservationRun:
    now = timezone.now()
    return ObservationRun.objects.create(
        host=host, status="running", asked_by="operator", asked_at=now, started_at=now, progress="asking the engine"
    )


def test_a_run_under_way_is_polled_and_can_be_reloaded_by_hand(visitor: Client, running: ObservationRun) -> None:
    page = visitor.get(f"/hosts/{running.host.name}/")
    assert f'hx-get="/runs/{running.pk}/"' in page.content.decode()
    assert f'<a href="/runs/{running.pk}/">How far is it?</a>' in page.content.decode()
    assert "asking the engine" in text_of(page)
    assert "Look again" in text_of(visitor.get(f"/runs/{running.pk}/"))


def test_the_fragment_of_a_run_under_way_goes_on_polling(visitor: Client, running: ObservationRun) -> None:
    fragment = visitor.get(f"/runs/{running.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert 'hx-trigger="every 1s"' in fragment


@pytest.mark.parametrize("status", ["done", "failed", "lost"])
def test_a_run_that_has_ended_has_the_page_loaded_again(visitor: Client, running: ObservationRun, status: str) -> None:
    ObservationRun.objects.filter(pk=running.pk).update(status=status, sentence="It is over.")
    response = visitor.get(f"/runs/{running.pk}/", headers={"HX-Request": "true"})
    assert response["HX-Refresh"] == "true"
    page = visitor.get(f"/runs/{running.pk}/")
    assert "It is over." in text_of(page)
    assert "hx-get" not in page.content.decode()


def test_a_run_that_never_was_is_not_found(visitor: Client) -> None:
    assert visitor.get("/runs/4711/").status_code == 404
