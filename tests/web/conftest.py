"""People and hosts for the tests of pages."""

import pytest
from django.test import Client

from launchplane.access.models import User
from launchplane.hosts.models import Host
from tests.factories import a_host, a_month_of, a_person


@pytest.fixture
def operator(db: None) -> User:
    return a_person()


@pytest.fixture
def host(db: None) -> Host:
    """A host that was observed for a month."""
    host = a_host()
    a_month_of(host, days=3)
    return host


@pytest.fixture
def visitor(client: Client, operator: User) -> Client:
    """A browser in which the operator is logged in."""
    client.force_login(operator)
    return client
