"""People and hosts for the tests of pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from launchplane.access.models import User
from launchplane.changes import kinds, plan_runs
from launchplane.changes.models import PlanRun
from launchplane.hosts.models import Host
from tests.changes import toy
from tests.changes.ways import a_folder_host, person
from tests.factories import a_host, a_month_of, a_person


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hashing that takes no time; what it takes in earnest is not the matter here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


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


@pytest.fixture
def approver(db: None) -> User:
    return a_person("approver", group="Approvers")


@pytest.fixture
def folder(db: None, tmp_path: Path, settings: Settings) -> Iterator[Host]:
    """A host with three files that the toy kinds can remove, and one that must stay."""
    settings.EVIDENCE_DIR = tmp_path / "evidence"
    toy.register_toys()
    toy.hook[0] = toy.nothing
    yield a_folder_host(tmp_path / "host", name="folder")
    kinds.unregister(toy.ONCE)
    kinds.unregister(toy.ROUTINE)


@pytest.fixture
def queued(folder: Host, operator: User) -> PlanRun:
    return plan_runs.queue_plan(toy.ROUTINE, folder, by=person(operator))
