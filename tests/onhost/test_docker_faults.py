"""A system call that fails, or the end of the process, while a removal is counted: the count is whole, and first."""

import json
from pathlib import Path

import pytest

from tests.onhost.room import PROGRAMS, Room
from tests.onhost.test_docker import IMAGE, changing, engine_in
from tests.onhost.test_unit_faults import FAULTS, forget, traced_program, writes

PROGRAM = f"{PROGRAMS}/launchplane-docker"


def asked(room: Room) -> dict[str, object]:
    return room.request("remove_image", lane=..., user=..., root=..., unit=..., **IMAGE)


@pytest.mark.skipif(not Path("/usr/bin/strace").exists(), reason="strace is missing (Debian: apt-get install strace)")
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_sent_before_it_is_counted_whole(room: Room, fault: str) -> None:
    count = room.path("var/lib/launchplane/removals")
    with engine_in(room):
        answer, trace = traced_program(room, PROGRAM, asked(room))
    assert answer.status == 0
    places = [place for place in writes(trace) if not place.startswith("write:")]
    assert len(places) >= 8, places
    for place in places:
        forget(room)
        call, when = place.split(":")
        with engine_in(room) as engine:
            traced_program(room, PROGRAM, asked(room), "-e", f"inject={call}:{fault}:{when}")
        counted = json.loads(count.read_text())["remove_image"] if count.exists() else []
        assert len(changing(engine)) <= len(counted) <= 1, place
        with engine_in(room):
            assert room.docker_verb("remove_image", **IMAGE).status == 0, place
