"""People for the tests of rights and records."""

import pytest
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
