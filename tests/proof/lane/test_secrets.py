"""A search that finds nothing proves something only if it finds what is there: a token is put into each place."""

import base64
import pickle
import sqlite3
import subprocess
import zlib
from pathlib import Path

import pytest
from django.core import signing

from tests.proof.lane import secrets
from tests.testbed.host import DisposableHost

TOKEN = "AABBCCDDEEFFGGHHIIJJKKLLMM234"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with a database, its log beside it."""
    place = tmp_path / "var"
    place.mkdir()
    (tmp_path / "var.log").write_text("it started\n")
    with sqlite3.connect(place / "launchplane.sqlite3") as connection:
        connection.execute("CREATE TABLE kept (id INTEGER, what BLOB)")
    return place


def keep(state: Path, what: object) -> None:
    with sqlite3.connect(state / "launchplane.sqlite3") as connection:
        connection.execute("INSERT INTO kept VALUES (1, ?)", (what,))


def test_where_nothing_is_nothing_is_found(state: Path) -> None:
    keep(state, "harmless")
    assert secrets.at_the_control_plane(state, TOKEN) == []


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "compressed"])
def test_a_task_of_the_queue_is_unpacked(state: Path, compressed: bool) -> None:
    """As django-q signs what it queues."""

    class Pickled:
        def dumps(self, what: object) -> bytes:
            return pickle.dumps(what)

    what = {"args": (TOKEN * (20 if compressed else 1),)}
    keep(state, signing.dumps(what, key="k", serializer=Pickled, compress=compressed))  # type: ignore[arg-type]
    assert "the table kept" in secrets.at_the_control_plane(state, TOKEN)


@pytest.mark.parametrize("beginning", ["", "x", "xy"])
def test_it_is_found_within_base64(state: Path, beginning: str) -> None:
    keep(state, base64.b64encode(f"{beginning}{TOKEN} and more".encode()).decode())
    assert "the table kept" in secrets.at_the_control_plane(state, TOKEN)


def test_a_document_that_is_compressed_is_unpacked(state: Path) -> None:
    keep(state, zlib.compress(f'{{"token": "{TOKEN}"}}'.encode()))
    assert "the table kept" in secrets.at_the_control_plane(state, TOKEN)


@pytest.mark.parametrize("name", ["var/evidence/2026-11-21.ndjson", "var.log"])
def test_segments_and_logs_are_read(state: Path, name: str) -> None:
    place = state.parent / name
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"the token is {TOKEN}\n")
    assert secrets.at_the_control_plane(state, TOKEN) == [str(place)]


def test_a_command_line_shows_it(state: Path) -> None:
    shows = ["sh", "-c", "echo; read line", TOKEN]
    with subprocess.Popen(shows, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        one.stdout.readline()
        found = secrets.at_the_control_plane(state, TOKEN)
        one.communicate()
    assert found == [f"the command line of process {one.pid} of the control plane's machine"]


@pytest.mark.testbed
@pytest.mark.parametrize(
    ("put", "place"),
    [
        ("systemd-run --quiet --unit=shows sh -c 'while sleep 1; do :; done' {token}", "ps"),
        ("echo the token is {token} | systemd-cat", "the journal"),
        ("echo {token} >/srv/kept", "/srv/kept"),
        ("echo {token} >/tmp/kept", "/tmp/kept"),
    ],
)
def test_the_host_is_searched(disposable: DisposableHost, put: str, place: str) -> None:
    # another one each time: the journal keeps what it has heard
    token = f"{TOKEN}{abs(hash(put))}"
    assert secrets.on_the_host(disposable, token) == []
    disposable.must(["sh", "-c", put.format(token=token)])
    found = secrets.on_the_host(disposable, token)
    disposable.must(["sh", "-c", "systemctl stop shows 2>/dev/null; rm -f /srv/kept /tmp/kept"])
    assert place in found
