"""Who sits at a shell: a command's `--as USER` has to give that user's password, like on the login page."""

import getpass
import sys

from django.contrib.auth import authenticate

from audits import record
from launchplane.access.models import User
from launchplane.access.people import NOBODY, Principal
from launchplane.environment import env
from launchplane.problems import Refused


def person_at_shell(username: str) -> Principal:
    """The person of that name, after their password was right. Raises Refused `not_authenticated`, which is recorded.

    The password is LAUNCHPLANE_PASSWORD (or its file), else asked for at a terminal, else the first line of the input.
    """
    user = authenticate(username=username, password=_password(username))
    if not isinstance(user, User):
        record.append(
            kind="access.denied",
            key=username[:150] or "nobody",
            status="failed",
            payload={"wanted": "log in at a shell", "why": "wrong name or password"},
            actor=NOBODY.actor(),
            source="command",
        )
        raise Refused("not_authenticated", "This user name and password do not belong together.")
    return Principal.person(user, source="command")


def shell() -> Principal:
    """Whoever may run commands here, where no person has to be known."""
    name = f"the shell of {getpass.getuser()}"
    return Principal(id=f"shell:{getpass.getuser()}", name=name, source="command")


def _password(username: str) -> str:
    if given := str(env.str("PASSWORD", "")):
        return given
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {username}: ")
    return sys.stdin.readline().rstrip("\n")
