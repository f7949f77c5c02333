"""The hosts that a start brings with it: the machine's own engine or the sandbox, each added once."""

import re
import socket
from itertools import chain, count

from launchplane.hosts.models import Host
from launchplane.hosts.services import add_host
from launchplane.problems import Problem
from launchplane.sandbox.dockerd import PrivateEngine
from launchplane.sandbox.leftovers import plant

SANDBOX = "sandbox"


def host_name(machine: str) -> str:
    """A machine's name as a slug: lower case, what is before the first dot, `local` if nothing is left of it."""
    slug = re.sub(r"[^a-z0-9]+", "-", machine.partition(".")[0].lower()).strip("-")[:64].strip("-")
    return "local" if slug in ("", SANDBOX) else slug


def ensure_local_host(url: str) -> Host | None:
    """The engine at `url` as a host; None if a host by that address, or that engine, was added before."""
    if Host.objects.filter(docker_url=url, connection=Host.Connection.LOCAL).exists():
        return None
    try:
        return add_host(name=_free_name(host_name(socket.gethostname())), docker_url=url)
    except Problem as problem:
        if problem.code != "engine_known":
            raise
        return None


def ensure_sandbox_host(engine: PrivateEngine) -> Host | None:
    """Have the sandbox's leftovers planted and its host there; None if it was there before."""
    plant(engine.url)
    if Host.objects.filter(is_sandbox=True).update(docker_url=engine.url):  # the state directory may have been moved
        return None
    return add_host(name=_free_name(SANDBOX), docker_url=engine.url, sandbox=True)


def _free_name(name: str) -> str:
    taken = set(Host.objects.values_list("name", flat=True))
    return next(free for free in chain([name], (f"{name}-{number}" for number in count(2))) if free not in taken)
