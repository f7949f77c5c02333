"""The whole of /etc/sudoers.d/launchplane: who may start which program as whom, each named in full (M52).

`""` allows no argument at all, so there is nothing for sudo to match: what is asked for comes on standard input.
There is no pattern, alias, digest, list or option here, so that sudo and sudo-rs read the same in it.
"""

from __future__ import annotations

from onhost import FOLDER
from onhost.config import HostConfig
from onhost.names import is_user
from onhost.refusals import BadRequest

AS_ROOT = ("launchplane-unit", "launchplane-docker")
AS_A_LANE = "launchplane-runner"


def render(ssh_user: str, config: HostConfig) -> str:
    """The file for the user that the control plane comes in as, and the lanes of `config`.

    Raises BadRequest when that user is root's or a lane's.
    """
    lane_users = sorted(lane.user for lane in config.lanes.values())
    if not is_user(ssh_user) or ssh_user in lane_users:
        raise BadRequest("bad_user", "the control plane needs a user of its own: neither root nor a lane's")
    rows = [("root", program) for program in AS_ROOT] + [(user, AS_A_LANE) for user in lane_users]
    lines = (f'{ssh_user} ALL=({user}) NOPASSWD: {FOLDER}/{program} ""\n' for user, program in rows)
    return "# Written by launchplane hosts install; see onhost/sudoers.py.\n" + "".join(lines)
