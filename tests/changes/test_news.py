"""Nothing is asked again as long as nobody recorded anything, for a second at most."""

import pytest
from django.db import transaction

from launchplane.changes import news
from launchplane.changes.news import News
from launchplane.hosts.models import Host
from tests.factories import a_host, edited

pytestmark = pytest.mark.django_db


@pytest.fixture
def host() -> Host:
    return a_host()


def test_who_never_looked_has_to_look(host: Host) -> None:
    assert News().any()


def test_nothing_is_new_until_something_is_recorded(host: Host) -> None:
    told = News()
    assert [told.any(), told.any(), told.any()] == [True, False, False]
    edited(host, hygiene_enabled=True)
    assert [told.any(), told.any()] == [True, False]


def test_what_was_rolled_back_is_no_news(host: Host) -> None:
    told = News()
    told.any()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        edited(host, hygiene_enabled=True)
        raise ZeroDivisionError
    assert not told.any()


def test_after_a_while_one_looks_again_whatever_was_recorded(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    told = News()
    told.any()
    monkeypatch.setattr(news, "AT_MOST_SECONDS", 0.0)
    assert told.any()
