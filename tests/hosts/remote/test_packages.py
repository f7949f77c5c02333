"""Which runner packages may be unpacked on a host is said by whoever installs it, and by nobody else."""

import json
from typing import Any

import pytest

from launchplane.hosts.install.host_json import host_json
from tests.shell import manage

ONE, TWO = "1" * 64, "2" * 64


@pytest.fixture
def own_key(settings: Any) -> None:
    settings.SSH_KEY = str(settings.VAR / "keys" / "ssh_key")


def test_without_a_word_none_may_be_unpacked() -> None:
    assert host_json("ci-2", None, [], {})["packages"] == []


def test_those_of_before_stay() -> None:
    assert host_json("ci-2", None, [], {"packages": [TWO]}, [ONE])["packages"] == [ONE, TWO]


def test_an_administrator_who_leaves_it_to_the_control_plane_is_not_overruled() -> None:
    assert host_json("ci-2", None, [], {"packages": "any"}, [ONE])["packages"] == "any"


@pytest.mark.django_db
@pytest.mark.usefixtures("own_key")
def test_the_command_shows_what_it_would_allow() -> None:
    shown = manage("hosts", "install", "ci-2", "--package", ONE, "--package", TWO, "--json")
    texts = [item["text"] for item in shown.json["items"] if "host.json" in item["what"]]
    assert [json.loads(text)["packages"] for text in texts] == [[ONE, TWO]]


@pytest.mark.django_db
@pytest.mark.usefixtures("own_key")
def test_what_is_no_hash_is_refused() -> None:
    shown = manage("hosts", "install", "ci-2", "--package", "latest")
    assert (shown.code, "sha256" in shown.err) == (2, True)
