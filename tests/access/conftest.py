"""People for the tests of rights and records."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from pytest_django import Settings

from launchplane.access.models import User
from tests.factories import a_person


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hashing that takes no time; what it takes in earnest is not the matter here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def admin(db: None) -> User:
    """An administrator: a superuser who may open the settings."""
    boss = a_person("admin", group="")
    boss.is_superuser = True
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    return boss


@pytest.fixture
def ann(db: None) -> User:
    return a_person("ann")


@pytest.fixture
def audit_refuses() -> Callable[[], object]:
    """Within it no audit record can be stored: its table is elsewhere."""

    @contextmanager
    def refusing() -> Iterator[None]:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audits_auditrecord RENAME TO elsewhere")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE elsewhere RENAME TO audits_auditrecord")

    return refusing
