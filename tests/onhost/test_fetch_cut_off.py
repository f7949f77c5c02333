"""A newer package over an older one, cut off midway: what lies there then is neither of them, and says so."""

import hashlib
import os
import tarfile

from tests.onhost.room import Room
from tests.onhost.test_fetch import GOOD, fetched, packed


def test_what_is_half_replaced_is_not_called_the_older_package(room: Room) -> None:
    older = packed(GOOD)
    fetched(room, older)
    # in the way of the newer one, after some of it was put in its place
    stuck = room.directory() / "externals"
    os.chown(stuck, 0, 0)

    newer = packed([*GOOD[:-1], ("./run.sh", tarfile.REGTYPE, 0o755, "newer")])
    assert fetched(room, newer).status == 5
    assert room.runner_verb("observe").fact("directory")["package_sha256"] is None

    os.chown(stuck, room.directory().stat().st_uid, room.directory().stat().st_gid)
    answer = fetched(room, older)
    assert (answer.status, answer.told["changed"]) == (0, True)
    assert room.runner_verb("observe").fact("directory")["package_sha256"] == hashlib.sha256(older).hexdigest()
