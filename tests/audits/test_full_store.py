"""A store that is full or refuses, for real: a file system of a few kilobytes, one that is read-only, another user."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from audits import segments
from audits.errors import AuditRefused
from audits.models import AuditRecord
from audits.verify import verify_database
from tests.audits.making import a_record
from tests.hosts.nobody import as_nobody, needs_root, open_to_all

pytestmark = [pytest.mark.django_db(transaction=True), needs_root]


class Disk:
    """A file system in memory at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mount(self, options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "launchplane-test", str(self.path)]
        if (done := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
            pytest.skip(f"this machine lets nobody mount: {done.stderr.strip()}")

    def become(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.path)], check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.path)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """The evidence store on a disk of its own, which has room."""
    settings.EVIDENCE_DIR = tmp_path / "disk"
    settings.EVIDENCE_DIR.mkdir()
    disk = Disk(settings.EVIDENCE_DIR)
    disk.mount("size=32m,mode=0700")
    yield disk
    disk.unmount()


def on_disk() -> list[int]:
    return [json.loads(line)["seq"] for line in segments.lines()]


@pytest.mark.req("H56")
@pytest.mark.parametrize("state", ["size=64k", "ro"])
def test_a_store_that_is_full_or_read_only_refuses_what_is_planned(disk: Disk, state: str) -> None:
    a_record()
    disk.become(state)
    with pytest.raises(AuditRefused, match="Nothing is begun until it can"):
        a_record()
    assert AuditRecord.objects.count() == 1


@pytest.mark.req("H56")
@pytest.mark.parametrize("folders_mode", [0o755, 0o777])
def test_a_store_that_belongs_to_another_user_refuses_what_is_planned(folders_mode: int, tmp_path: Path) -> None:
    """Be it the folder or the segment in it, as after a command that root ran once."""
    open_to_all(tmp_path)
    settings.EVIDENCE_DIR = tmp_path / "evidence"
    a_record()
    settings.EVIDENCE_DIR.chmod(folders_mode)
    with as_nobody(), pytest.raises(AuditRefused, match="may not be written to"):
        a_record()
    assert AuditRecord.objects.count() == 1


@pytest.mark.req("H54", "H56")
@pytest.mark.parametrize("state", ["size=64k", "ro"])
def test_the_end_of_what_was_begun_is_recorded_and_reaches_the_disk_later_without_a_gap(
    disk: Disk, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    a_record()
    disk.become(state)
    late = [a_record(status="failed", payload={"stderr": "x" * 30_000}) for _ in range(4)]
    assert not segments.held(late[-1])
    assert "Evidence cannot be kept" in caplog.text
    assert all(line.endswith(b"}\n") for line in segments.files()[0].read_bytes().splitlines(keepends=True))
    disk.become("size=32m,rw")
    a_record()
    assert on_disk() == [1, 2, 3, 4, 5, 6]
    verdict = verify_database()
    assert (verdict.faults, verdict.notes) == ((), ())


@pytest.mark.req("H56")
def test_a_disk_that_fills_up_between_commit_and_line_lets_nothing_begin(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room was there when it was looked for; what is announced counts only when its line is there."""
    monkeypatch.setattr(segments, "ROOM_BYTES", 0)
    a_record()
    disk.become("size=16k")
    planned = a_record(payload={"mode": "apply", "why": "x" * 30_000})
    assert not segments.held(planned)
    assert on_disk() == [1]
    disk.become("size=32m")
    assert segments.held(planned)
    assert on_disk() == [1, 2]
