"""The call that the documents show: with the token in a file, so that it is in no list of processes."""

import json
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.access.making import a_token
from tests.docs.reading import blocks
from tests.factories import a_host, a_person

SHOWN = "curl --fail --silent --header @authorization https://launchplane.example.org/v1/hosts"


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("H51")
def test_a_token_in_a_file_calls_as_shown(live_server: LiveServer, tmp_path: Path) -> None:
    assert any(SHOWN in block.text for block in blocks("sh"))
    a_host("ci-1")
    (tmp_path / "authorization").write_text(f"Authorization: Bearer {a_token(a_person())}\n")
    command = SHOWN.replace("https://launchplane.example.org", live_server.url)

    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=True)

    assert [host["name"] for host in json.loads(done.stdout)["hosts"]] == ["ci-1"]
