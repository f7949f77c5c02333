"""A host that is a folder, people who ask and decide, and the ways of a change through them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from launchplane.access.models import User
from launchplane.changes import kinds
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.changes.ways import a_folder_host
from tests.factories import a_person


@pytest.fixture(autouse=True)
def toys(settings: Settings) -> Iterator[None]:
    """The toy kinds are registered, and nothing happens at their windows."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    toy.register_toys()
    toy.hook[0] = toy.nothing
    yield
    toy.hook[0] = toy.nothing
    kinds.unregister(toy.ONCE)
    kinds.unregister(toy.ROUTINE)


@pytest.fixture
def host(db: None, tmp_path: Path) -> Host:
    """A host with three files that can go, and one that must stay."""
    return a_folder_host(tmp_path / "host")


@pytest.fixture
def operator(db: None) -> User:
    return a_person()


@pytest.fixture
def approver(db: None) -> User:
    return a_person("approver", group="Approvers")
