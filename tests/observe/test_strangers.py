"""A process whose user is a number without an account, as containers are often run, can observe all the same."""

import os
from collections.abc import Callable

import pytest

from hygiene.observe import docker_configs
from launchplane.commands import shell_user
from launchplane.hosts.models import Host
from tests.hosts.nobody import needs_root

STRANGER = 54_321


def as_stranger(ask: Callable[[], object]) -> str:
    """What `ask` gives in a child process of that user, which has no name and no home in its environment."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setuid(STRANGER)
            for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME"):
                os.environ.pop(name, None)
            os.write(writing, str(ask()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        return answer.read()


@needs_root
def test_who_asked_is_the_number() -> None:
    assert as_stranger(shell_user) == f"uid {STRANGER}"


@needs_root
@pytest.mark.parametrize(
    ("users", "configs"),
    [([], "()"), (["no-such-user"], "()"), (["daemon"], "('/usr/sbin/.docker/config.json',)")],
    ids=["no users", "a user who is not there", "one user"],
)
def test_there_are_no_logins_of_its_own_to_look_for(users: list[str], configs: str) -> None:
    host = Host(service_users=users)

    assert as_stranger(lambda: docker_configs(host)) == configs
