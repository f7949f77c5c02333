"""A host in a room, GitHub on loopback, a lane on record, and people who ask and decide."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from lanes.acts import waiting
from lanes.acts.waiting import Patience
from lanes.kinds import register_kinds
from launchplane.hosts import carriers
from tests.factories import a_person
from tests.faults import EngineSocket, plain_engine
from tests.lane_changes.place import Place, a_place
from tests.lane_changes.ways import People
from tests.lanes.asking import TOKEN

register_kinds()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever works in a room starts many processes as root, in namespaces: no test for while one writes code."""
    for item in items:
        if "place" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.testbed)


@pytest.fixture
def place(tmp_path: Path, db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A lane that nobody has registered yet, on a host that is approved and may have it."""
    if os.geteuid() != 0:
        pytest.skip("a mount namespace of its own needs root")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EVIDENCE_DIR, settings.VAR = tmp_path / "evidence", tmp_path / "var"
    # what does not come is not waited for
    for name in ("ONLINE", "OFFLINE", "LISTED"):
        monkeypatch.setattr(waiting, name, Patience(looks=2, pause_seconds=0))
    with EngineSocket(plain_engine()) as engine, a_place(tmp_path) as place:
        settings.GITHUB_API_URL, settings.GITHUB_TOKEN = place.github.url, TOKEN
        monkeypatch.setattr(carriers, "DISPATCH_PATH", place.dispatch)
        place.put_on_record(docker_url=engine.url)
        yield place


@pytest.fixture
def people(db: None) -> People:
    return People(a_person(), a_person("approver", group="Approvers"))
