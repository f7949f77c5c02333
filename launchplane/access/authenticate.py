"""Who sits at a shell: a command's `--as USER` has to give that user's password, like on the login page."""

import getpass
import sys

from launchplane.access import passwords
from launchplane.access.people import Principal
from launchplane.environment import env


def person_at_shell(username: str) -> Principal:
    """The person of that name, after their password was right. Raises as `passwords.check` does; that is recorded.

    The password is LAUNCHPLANE_PASSWORD (or its file), else asked for at a terminal, else the first line of the input.
    """
    name = shell().name
    at = passwords.Place(name=name, words=name, source="command", known=True)
    user = passwords.check(username, _password(username), wanted="log in at a shell", at=at)
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
