"""Links, races and odd files: root neither writes nor reads where a lane's user, or a mistake, points it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.onhost.room import CONFIG, LANE, OTHER, USERS, Room, put
from tests.onhost.test_unit import UNIT, VERBS, up

RUNNER = ["install-or-update-unit", "enable-now", "restart"]


def link(path: Path, room: Room) -> None:
    put(room.path("srv/victim"), f"# Written by launchplane-unit 1 for lane {LANE}.\n", mode=0o644)
    path.symlink_to("/srv/victim")


def dangling(path: Path, _: Room) -> None:
    path.symlink_to("/srv/not-there")


def fifo(path: Path, _: Room) -> None:
    os.mkfifo(path, 0o644)


def folder(path: Path, _: Room) -> None:
    path.mkdir()


def second_name(path: Path, room: Room) -> None:
    link(room.path("srv/unused"), room)
    os.link(room.path("srv/victim"), path)


def writable(path: Path, _: Room) -> None:
    put(path, "# Written by launchplane-unit 1\n", mode=0o664)


def of_another(path: Path, _: Room) -> None:
    put(path, "# Written by launchplane-unit 1\n", owner=USERS["operator"], mode=0o644)


def endless(path: Path, _: Room) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


ODD: list[Callable[[Path, Room], None]] = [link, dangling, fifo, folder, second_name, writable, of_another, endless]


def device(path: Path, _: Room) -> None:
    os.mknod(path, 0o020666, os.makedev(1, 5))


@pytest.mark.req("M53")
@pytest.mark.parametrize("make", [*ODD, device], ids=lambda make: make.__name__)
def test_an_odd_unit_file_is_neither_read_nor_written(room: Room, make: Callable[[Path, Room], None]) -> None:
    make(room.unit(), room)
    before = room.contents() if make is not endless else {}
    for verb in VERBS:
        if verb == "daemon-reload":
            continue
        answer = room.unit_verb(verb)
        assert (answer.status, answer.code) == (4, "odd_file"), verb
    assert (room.contents() if make is not endless else {}) == before


@pytest.mark.parametrize("make", [link, dangling, fifo, folder, second_name, device], ids=lambda make: make.__name__)
def test_nothing_is_installed_or_started_for_an_odd_run_sh(room: Room, make: Callable[[Path, Room], None]) -> None:
    up(room)
    (room.directory() / "run.sh").unlink()
    make(room.directory() / "run.sh", room)
    os.lchown(room.directory() / "run.sh", USERS["lane-cm"], USERS["lane-cm"])
    before = room.contents()
    for verb in RUNNER:
        assert room.unit_verb(verb).code == "odd_file"
    assert room.contents() == before


def by_link(room: Room, place: str) -> None:
    """What lay at `place` is now elsewhere, and a link leads there."""
    room.path(place).rename(room.path("srv/elsewhere"))
    room.path(place).symlink_to("/srv/elsewhere")


def not_there(room: Room, place: str) -> None:
    room.path(place).rename(room.path("srv/elsewhere"))


def a_file(room: Room, place: str) -> None:
    not_there(room, place)
    put(room.path(place), "")


def open_to_all(room: Room, place: str) -> None:
    room.path(place).chmod(0o777)


def anothers(room: Room, place: str) -> None:
    os.chown(room.path(place), USERS["lane-other"], 0)


SPOILT = [by_link, not_there, a_file, open_to_all, anothers]


@pytest.mark.req("M54")
@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("place", [f"runners/{LANE}", "runners", "runners/homes", "runners/homes/lane-cm"])
def test_each_folder_on_the_way_to_a_lane_has_to_be_what_it_seems(
    room: Room, place: str, spoil: Callable[[Room, str], None]
) -> None:
    up(room)
    spoil(room, f"srv/{place}")
    before = room.contents()
    for verb in RUNNER:
        assert room.unit_verb(verb).code in ("path_unsafe", "path_missing")
    assert room.contents() == before


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("place", ["etc/systemd/system", "etc/systemd", "var/lib/launchplane"])
def test_each_folder_it_writes_in_has_to_be_roots_alone(
    room: Room, place: str, spoil: Callable[[Room, str], None]
) -> None:
    spoil(room, place)
    before = room.contents()
    assert room.unit_verb("install-or-update-unit").code in ("path_unsafe", "path_missing")
    assert room.contents() == before


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize(
    "place",
    [
        "etc/launchplane",
        "etc/launchplane/host.json",
        "usr/local/lib/launchplane",
        "usr/local/lib/launchplane/onhost/names.py",
    ],
)
def test_it_refuses_to_run_from_an_installation_that_is_not_roots_alone(
    room: Room, place: str, spoil: Callable[[Room, str], None]
) -> None:
    spoil(room, place)
    before = room.contents()
    for answer in (room.unit_verb("daemon-reload"), room.runner_verb("observe")):
        # where the programs themselves are gone there is nothing that could answer
        assert answer.status == 6 or not answer.told or (place.endswith("names.py") and spoil in (not_there, a_file))
        assert answer.told.get("ok") is not True
    assert room.contents() == before


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777])
def test_it_refuses_to_run_when_others_can_write_the_program(room: Room, mode: int) -> None:
    room.path("usr/local/lib/launchplane/launchplane-unit").chmod(mode)
    answer = room.unit_verb("daemon-reload")
    assert (answer.status, answer.code) == (6, "installation")


def test_a_copy_of_it_elsewhere_refuses_to_run(room: Room) -> None:
    put(room.path("tmp/launchplane-unit"), room.path("usr/local/lib/launchplane/launchplane-unit").read_text())
    line = json.dumps(room.request("daemon-reload")).encode()
    assert room.run(["/tmp/launchplane-unit"], stdin=line).code == "arguments"


FLIPPER = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.chdir('/srv/runners/cm-website-chris-testing')
os.symlink('/etc/shadow', 'other')
print('flipping', flush=True)
while True:
    libc.renameat2(-100, b'run.sh', -100, b'other', 2)
"""


def test_a_link_that_is_swapped_in_and_out_leads_root_nowhere(room: Room) -> None:
    put(room.path("etc/shadow"), "root:secret\n", mode=0o600)
    room.start(["/usr/bin/python3", "-c", FLIPPER], user="lane-cm")
    before = room.path("etc/shadow").stat()
    codes = {room.unit_verb("install-or-update-unit").code for _ in range(20)}
    assert codes <= {"", "odd_file"}
    after = room.path("etc/shadow").stat()
    assert (before.st_mtime_ns, before.st_mode, before.st_uid) == (after.st_mtime_ns, after.st_mode, after.st_uid)
    assert room.path("etc/shadow").read_text() == "root:secret\n"
    assert [path.name for path in room.path("etc/systemd/system").iterdir()] in ([], [UNIT])


def test_users_that_are_root_or_missing_get_no_unit(room: Room) -> None:
    passwd = room.path("etc/passwd")
    kept = passwd.read_text()
    passwd.write_text(kept.replace("lane-cm:x:64101:64101", "lane-cm:x:0:0"))
    assert room.unit_verb("install-or-update-unit").code == "user_unsafe"
    passwd.write_text(kept.replace("lane-cm:x", "gone:x"))
    assert room.unit_verb("install-or-update-unit").code == "user_missing"
    assert not room.unit().exists()


def test_a_lane_that_the_administrator_took_out_can_no_longer_be_asked_for(room: Room) -> None:
    up(room)
    lanes = CONFIG["lanes"]
    assert isinstance(lanes, dict)
    put(room.path("etc/launchplane/host.json"), json.dumps(CONFIG | {"lanes": {OTHER: lanes[OTHER]}}), mode=0o644)
    assert {room.unit_verb(verb).code for verb in VERBS} == {"unknown_lane"}
