"""The disk holds what the database holds, in order, also after a crash at any point; or nothing begins."""

import errno
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audits import disk, segments
from audits.errors import Forked
from audits.models import AuditRecord, EvidenceStore
from audits.record import AuditRefused
from tests.audits.making import a_record

pytestmark = pytest.mark.django_db(transaction=True)


def on_disk() -> list[int]:
    return [json.loads(line)["seq"] for path in segments.files() for line in path.read_bytes().splitlines()]


def newest() -> Path:
    return segments.files()[-1]


@pytest.mark.req("H54", "H50")
def test_a_committed_record_is_on_the_disk() -> None:
    record = a_record()
    assert newest().name == f"{record.at:%Y-%m-%d}.ndjson"
    assert newest().read_bytes() == segments.line(AuditRecord.objects.get().as_record())
    assert newest().stat().st_mode & 0o777 == 0o600
    assert newest().parent.stat().st_mode & 0o777 == 0o700


def test_nothing_is_on_the_disk_before_the_commit() -> None:
    with transaction.atomic():
        a_record()
        assert segments.files() == []
    assert on_disk() == [1]


def test_what_is_not_committed_cannot_be_asked_about() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        segments.held(a_record())


@pytest.mark.django_db
def test_in_a_test_that_is_one_transaction_a_record_can_be_held() -> None:
    assert segments.held(a_record())


def test_what_was_rolled_back_is_never_on_the_disk() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        a_record()
        raise ZeroDivisionError
    a_record(kind="other")
    assert [json.loads(line)["kind"] for line in newest().read_bytes().splitlines()] == ["other"]


def test_a_crash_after_the_commit_is_caught_up_by_the_next_record(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as crashed:
        crashed.setattr(segments, "flush", lambda **_: None)
        lost = [a_record(), a_record()]
    assert segments.files() == []
    assert segments.held(a_record())
    assert on_disk() == [1, 2, 3]
    assert all(segments.held(record) for record in lost)


@pytest.mark.parametrize("cut", [1, 20])
def test_a_line_that_a_crash_left_unfinished_is_written_anew(cut: int, caplog: pytest.LogCaptureFixture) -> None:
    a_record(), a_record()
    whole = newest().read_bytes()
    newest().write_bytes(whole[: max(len(whole) - cut, 0)])
    third = a_record()
    assert on_disk() == [1, 2, 3]
    assert newest().read_bytes().startswith(whole)
    assert segments.held(third)


def test_an_empty_segment_is_one_that_a_crash_left() -> None:
    a_record()
    (segments.folder() / "2999-01-01.ndjson").touch()
    a_record()
    assert on_disk() == [1, 2]


def test_zeros_after_a_loss_of_power_are_taken_away() -> None:
    a_record()
    with newest().open("ab") as file:
        file.write(b'{"seq":2' + b"\0" * 4096)
    a_record()
    assert on_disk() == [1, 2]


def test_a_whole_line_that_is_no_record_stops_everything() -> None:
    first = a_record()
    with newest().open("ab") as file:
        file.write(b"what?\n")
    assert not segments.held(first)
    with pytest.raises(AuditRefused, match="audits verify"):
        segments.flush()


@pytest.mark.req("X19")
def test_a_database_that_was_restored_from_a_backup_begins_nothing() -> None:
    """The segments remember what the database forgot: an approval that was used, above all."""
    later = a_record().as_record().model_copy(update={"seq": 2, "hash": "f" * 64})
    with newest().open("ab") as file:
        file.write(segments.line(later))
    record = a_record()
    assert not segments.held(record)
    with pytest.raises(AuditRefused, match="was the database restored"):
        segments.flush()


def test_each_day_has_a_file_and_a_clock_that_went_back_does_not_disturb_the_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = timezone.now()
    for days in (0, 1, -2, 1):
        monkeypatch.setattr(timezone, "now", lambda days=days: now + timedelta(days=days))
        a_record()
    assert [path.stem for path in segments.files()] == [f"{now + timedelta(days=days):%Y-%m-%d}" for days in (0, 1)]
    assert on_disk() == [1, 2, 3, 4]


def test_a_clock_that_goes_back_within_one_batch_does_not_disturb_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    with transaction.atomic():
        for days in (0, 1, 0, 2):
            monkeypatch.setattr(timezone, "now", lambda days=days: now + timedelta(days=days))
            a_record()
    assert on_disk() == [1, 2, 3, 4]
    assert [path.read_bytes().count(b"\n") for path in segments.files()] == [1, 2, 1]


def test_many_records_are_caught_up_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "AT_ONCE", 3)
    with transaction.atomic():
        for _ in range(10):
            a_record()
    assert on_disk() == list(range(1, 11))


@pytest.fixture
def broken_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    with monkeypatch.context() as patch:
        yield patch


@pytest.mark.req("H56")
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_disk_that_fails_after_the_commit_lets_nothing_begin(call: str, broken_disk: pytest.MonkeyPatch) -> None:
    a_record()

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    broken_disk.setattr(os, call, fails)
    record = a_record()
    assert AuditRecord.objects.count() == 2
    assert not segments.held(record)
    broken_disk.undo()
    assert segments.held(record)
    assert on_disk() == [1, 2]


@pytest.mark.req("H56")
def test_a_full_store_refuses_what_is_planned_before_anything_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    a_record()
    monkeypatch.setattr(segments, "ROOM_BYTES", 2**62)
    with pytest.raises(AuditRefused, match="Nothing is begun"):
        a_record(status="planned")
    assert AuditRecord.objects.count() == 1


def test_the_end_of_what_was_begun_is_recorded_also_when_the_store_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    a_record()
    monkeypatch.setattr(segments, "ROOM_BYTES", 2**62)
    assert segments.held(a_record(status="failed"))


@pytest.mark.req("H56")
def test_a_store_that_cannot_be_made_refuses(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.EVIDENCE_DIR = tmp_path / "file" / "evidence"
    with pytest.raises(AuditRefused, match="Evidence cannot be kept in"):
        a_record()


def hold_the_lock(folder: Path, seconds: float) -> None:
    import fcntl

    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / "taken").touch()
        time.sleep(seconds)


def test_a_writer_that_stands_still_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    record = a_record()
    monkeypatch.setattr(disk, "PATIENCE_SECONDS", 0.2)
    other = multiprocessing.get_context("fork").Process(target=hold_the_lock, args=(segments.folder(), 30))
    other.start()
    try:
        while not (segments.folder() / "taken").exists():
            time.sleep(0.01)
        assert not segments.held(record)
    finally:
        other.kill()
        other.join()
    assert segments.held(record)


@pytest.mark.req("X19")
def test_an_empty_folder_beside_a_database_that_had_segments_begins_nothing(tmp_path: Path) -> None:
    first = a_record()
    settings.EVIDENCE_DIR = tmp_path / "another"
    assert not segments.held(first)
    assert not segments.held(a_record())
    with pytest.raises(Forked, match="There is no segment in"):
        segments.flush()
    assert segments.files() == []


def test_a_folder_that_could_not_be_written_at_first_takes_everything_later(tmp_path: Path) -> None:
    """Nothing is locked out by a disk that fails at the first start, however long it does."""
    settings.EVIDENCE_DIR = tmp_path / "file" / "evidence"
    (tmp_path / "file").touch()
    a_record(status="completed")
    (tmp_path / "file").unlink()
    segments.flush()
    assert on_disk() == [1]


def test_a_crash_before_the_first_segment_is_noted_is_caught_up(tmp_path: Path) -> None:
    a_record()
    EvidenceStore.objects.all().delete()
    segments.flush()
    settings.EVIDENCE_DIR = tmp_path / "another"
    with pytest.raises(Forked):
        segments.flush()


def test_a_first_segment_that_a_crash_left_empty_is_written_anew() -> None:
    a_record()
    newest().write_bytes(b"")
    EvidenceStore.objects.all().delete()
    segments.flush()
    assert on_disk() == [1]
