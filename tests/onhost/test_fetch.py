"""A runner's package: only the one whose hash was given, only harmless members, and whole or not at all."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from onhost import package
from onhost.refusals import BadRequest
from tests.onhost.room import CONFIG, LANE, USERS, Answer, Room, put
from tests.onhost.test_runner import registered

Member = tuple[str, bytes, int, str]
GOOD: list[Member] = [
    ("./", tarfile.DIRTYPE, 0o755, ""),
    ("./bin/", tarfile.DIRTYPE, 0o755, ""),
    ("./bin/Runner.Listener", tarfile.REGTYPE, 0o777, "listener"),
    ("./externals/node20/lib/npm.js", tarfile.REGTYPE, 0o644, "npm"),
    ("./externals/node20/bin/npm", tarfile.SYMTYPE, 0o777, "../lib/npm.js"),
    ("./config.sh", tarfile.REGTYPE, 0o755, "config"),
    ("./run.sh", tarfile.REGTYPE, 0o755, "run"),
]
BAD: list[Member] = [
    ("/etc/passwd", tarfile.REGTYPE, 0o644, "x"),
    ("../up", tarfile.REGTYPE, 0o644, "x"),
    ("bin/../../up", tarfile.REGTYPE, 0o644, "x"),
    ("bin/../twice", tarfile.REGTYPE, 0o644, "x"),
    ("a\nb", tarfile.REGTYPE, 0o644, "x"),
    ("out", tarfile.SYMTYPE, 0o777, "/etc/passwd"),
    ("out", tarfile.SYMTYPE, 0o777, ".."),
    ("bin/out", tarfile.SYMTYPE, 0o777, "../.."),
    ("bin/out", tarfile.SYMTYPE, 0o777, "x/../../../y"),
    ("bin/out", tarfile.SYMTYPE, 0o777, "x/../y"),
    ("hard", tarfile.LNKTYPE, 0o644, "/etc/shadow"),
    ("hard", tarfile.LNKTYPE, 0o644, "run.sh"),
    ("device", tarfile.CHRTYPE, 0o666, ""),
    ("block", tarfile.BLKTYPE, 0o666, ""),
    ("pipe", tarfile.FIFOTYPE, 0o666, ""),
    ("setuid", tarfile.REGTYPE, 0o4755, "x"),
    ("setgid", tarfile.REGTYPE, 0o2755, "x"),
    ("setgid", tarfile.DIRTYPE, 0o2755, ""),
    ("./run.sh", tarfile.REGTYPE, 0o755, "twice"),
    ("run.sh", tarfile.SYMTYPE, 0o755, "bin"),
    ("run.sh/below", tarfile.REGTYPE, 0o755, "x"),
    ("externals/node20/bin/npm/below", tarfile.REGTYPE, 0o755, "x"),
    (".", tarfile.REGTYPE, 0o755, "x"),
]


def packed(members: list[Member]) -> bytes:
    """A tar.gz; a link's content is where it leads."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, kind, mode, content in members:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = kind, mode
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                entry.linkname = content
            elif kind == tarfile.REGTYPE:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()) if entry.size else None)
    return stream.getvalue()


def fetched(room: Room, data: bytes, **other: object) -> Answer:
    given: dict[str, object] = {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return room.runner_verb("fetch", data, **given | other)


def names(room: Room) -> set[str]:
    """What lies in the lane's folder, but for the lock that every change takes."""
    found = room.directory()
    return {str(path.relative_to(found)) for path in found.rglob("*")} - {".launchplane-lock"}


def test_a_package_is_unpacked_as_the_lanes_own(room: Room) -> None:
    data = packed(GOOD)
    answer = fetched(room, data)
    assert (answer.status, answer.told["changed"], answer.stderr) == (0, True, "")
    found = room.directory()
    assert (found / "run.sh").read_text() == "run"
    assert (found / "externals/node20/bin/npm").read_text() == "npm"
    assert {path.lstat().st_uid for path in found.rglob("*")} == {USERS["lane-cm"]}
    assert (found / "bin/Runner.Listener").stat().st_mode & 0o7777 == 0o755
    assert not [name for name in names(room) if "unpack" in name or "archive" in name]
    told = room.runner_verb("observe").fact("directory")
    assert told["package_sha256"] == hashlib.sha256(data).hexdigest()


def test_the_same_package_is_not_unpacked_twice_and_another_replaces_it(room: Room) -> None:
    data = packed(GOOD)
    fetched(room, data)
    assert fetched(room, data).told["changed"] is False
    fetched(room, packed([*GOOD[:-1], ("./run.sh", tarfile.REGTYPE, 0o755, "newer")]))
    assert (room.directory() / "run.sh").read_text() == "newer"


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_a_package_with_one_bad_member_leaves_nothing_behind(room: Room, bad: Member) -> None:
    before = names(room)
    answer = fetched(room, packed([*GOOD, bad]))
    assert (answer.status, answer.code, answer.stderr) == (2, "bad_package", "")
    assert names(room) == before
    assert not room.path("srv/runners/up").exists()


@pytest.mark.parametrize(
    "other", [{"sha256": "0" * 64}, {"size_bytes": 5}, {"size_bytes": 10_000_000}], ids=["hash", "shorter", "longer"]
)
def test_another_package_than_the_one_that_was_meant_is_thrown_away(room: Room, other: dict[str, object]) -> None:
    before = names(room)
    answer = fetched(room, packed(GOOD), **other)
    assert (answer.status, answer.code) == (2, "wrong_package")
    assert names(room) == before


@pytest.mark.parametrize(
    "data",
    [b"", b"no archive", gzip.compress(b"no tar" * 200), packed(GOOD)[:-40], b"\x1f\x8b" + b"\0" * 50],
    ids=["nothing", "text", "no tar", "cut off", "broken"],
)
def test_what_is_no_whole_archive_leaves_nothing_behind(room: Room, data: bytes) -> None:
    before = names(room)
    answer = fetched(room, data)
    assert (answer.status, answer.stderr) == (2, "")
    assert answer.code in ("bad_package", "fields")
    assert names(room) == before


@pytest.mark.parametrize(
    "other", [{"size_bytes": True}, {"size_bytes": 1 << 40}, {"sha256": "A" * 64}, {"sha256": None}], ids=repr
)
def test_a_size_and_a_hash_have_to_be_such(room: Room, other: dict[str, object]) -> None:
    assert fetched(room, packed(GOOD), **other).code == "fields"


def test_nothing_is_unpacked_over_a_registered_runner_that_runs(room: Room) -> None:
    registered(room)
    room.manager(
        services={f"launchplane-runner@{LANE}.service": {"active": "active", "sub": "", "pid": "0", "cgroup": ""}}
    )
    before = names(room)
    assert fetched(room, packed(GOOD)).code == "still_active"
    assert names(room) == before


@pytest.mark.req("X13")
def test_a_registered_runner_that_is_stopped_becomes_another_version_and_stays_registered(room: Room) -> None:
    registered(room)
    settings = (room.directory() / ".runner").read_bytes()
    assert fetched(room, packed(GOOD)).status == 0
    assert (room.directory() / "run.sh").read_text() == "run"
    assert (room.directory() / ".runner").read_bytes() == settings


@pytest.mark.req("M4")
def test_a_dry_run_takes_no_package(room: Room) -> None:
    before = names(room)
    data = packed(GOOD)
    given: dict[str, object] = {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "dry_run": True}
    assert room.runner_verb("fetch", **given).status == 0
    assert room.runner_verb("fetch", data, **given).code == "too_much"
    assert names(room) == before


def test_what_an_interrupted_one_left_is_no_package_and_is_cleared(room: Room) -> None:
    left = room.directory() / ".launchplane-unpack"
    left.mkdir()
    put(left / "run.sh", "half", USERS["lane-cm"])
    for path in (left, room.directory() / ".launchplane-archive"):
        path.touch()
        os.chown(path, USERS["lane-cm"], USERS["lane-cm"])
    assert room.runner_verb("observe").fact("directory")["package_sha256"] is None
    assert fetched(room, packed(GOOD)).status == 0
    assert (room.directory() / "run.sh").read_text() == "run"
    assert not left.exists()


def test_an_archive_of_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "package"
    archive.write_bytes(packed(GOOD))
    for limit, value in (("MOST_MEMBERS", 3), ("MOST_UNPACKED_BYTES", 10)):
        with monkeypatch.context() as patched, tarfile.open(archive) as opened:
            patched.setattr(package, limit, value)
            with pytest.raises(BadRequest):
                package.check(opened)


@pytest.mark.parametrize("allowed", [[], ["a" * 64]])
def test_only_a_package_that_the_administrator_allows_is_unpacked(room: Room, allowed: list[str]) -> None:
    before = names(room)
    put(room.path("etc/launchplane/host.json"), json.dumps(CONFIG | {"packages": allowed}), mode=0o644)
    assert fetched(room, packed(GOOD)).code == "package_not_allowed"
    assert names(room) == before
    unsaid = {field: told for field, told in CONFIG.items() if field != "packages"}
    put(room.path("etc/launchplane/host.json"), json.dumps(unsaid), mode=0o644)
    assert fetched(room, packed(GOOD)).code == "package_not_allowed"
    allowed = [hashlib.sha256(packed(GOOD)).hexdigest()]
    put(room.path("etc/launchplane/host.json"), json.dumps(CONFIG | {"packages": allowed}), mode=0o644)
    assert fetched(room, packed(GOOD)).status == 0
