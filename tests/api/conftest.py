"""Somebody who is logged in, and hosts to see."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from launchplane.access.models import User
from launchplane.hosts.models import Host
from tests.access.making import believed
from tests.factories import a_busy_inventory, a_host, a_person, observed
from tests.fakes.issuer import Issuer
from tests.web.conftest import folder

__all__ = ["folder"]


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hashing that takes no time; what it takes in earnest is not the matter here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def person(db: None) -> User:
    """An operator."""
    return a_person()


@pytest.fixture
def session(client: Client, person: User) -> Client:
    """A browser session of that person."""
    client.force_login(person)
    return client


@pytest.fixture
def host(db: None) -> Host:
    """A host that was observed once."""
    host = a_host("ci-1")
    observed(host, a_busy_inventory())
    return host


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    """An issuer whose tokens are believed."""
    with believed(settings) as issuer:
        yield issuer
