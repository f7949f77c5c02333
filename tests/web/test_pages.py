"""The pages as a whole: what each says, for the data that hosts really have."""

import pytest
from django.test import Client
from django.utils import timezone

from hygiene.models import ObservationRun
from launchplane.hosts.models import Contact, Host
from tests.factories import GB, a_busy_inventory, a_host, an_inventory, observed, readings

PAGES = ["", "inventory/", "budgets/", "snapshots/"]


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("tab", PAGES)
def test_each_page_of_a_host_opens(visitor: Client, host: Host, tab: str) -> None:
    response = visitor.get(f"/hosts/{host.name}/{tab}")
    assert response.status_code == 200
    assert host.name in text(response)


@pytest.mark.parametrize("tab", ["", "inventory/"])
def test_a_host_that_was_never_observed_says_so(visitor: Client, tab: str) -> None:
    a_host("new")
    assert "new was never observed" in text(visitor.get(f"/hosts/new/{tab}"))


def test_without_a_host_the_first_page_says_how_to_add_one(visitor: Client) -> None:
    assert ".venv/bin/python manage.py hosts add NAME --docker-url" in text(visitor.get("/"))
