"""`hosts install` and a host.json that an administrator wrote before, where only root can see it."""

import json
from pathlib import Path

import pytest
from pytest import MonkeyPatch
from pytest_django import Settings

from onhost.docker_part import REMOVALS
from tests.hosts.remote.installed import NAME, install
from tests.testbed.host import DisposableHost

pytestmark = [pytest.mark.testbed, pytest.mark.django_db(transaction=True)]
MINE = {
    "version": 1,
    "host": NAME,
    "roots": ["/srv/runners"],
    "lanes": {},
    "docker": {"keep": {"volume": ["pg_*"]}, "hourly": dict.fromkeys(REMOVALS, 7)},
}


def test_what_only_root_can_see_stays_all_the_same(
    another_disposable: DisposableHost, tmp_path: Path, monkeypatch: MonkeyPatch, settings: Settings
) -> None:
    settings.VAR = tmp_path / "var"
    settings.SSH_KEY = settings.VAR / "keys" / "ssh_key"
    another_disposable.must(["mkdir", "-m", "700", "/etc/launchplane"])
    another_disposable.must(["tee", "/etc/launchplane/host.json"], stdin=json.dumps(MINE))
    assert install(another_disposable, tmp_path, monkeypatch, "--apply").code == 0
    now = json.loads(another_disposable.must(["cat", "/etc/launchplane/host.json"]))["docker"]
    assert (now["keep"], now["hourly"]["remove_image"]) == ({"volume": ["pg_*"]}, 7)
