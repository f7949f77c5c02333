"""launchplane-docker: this host's engine, as root by sudo, so that nobody has to be in the group that may use it.

It tells what a report is made of, and takes away one thing at a time that a plan named. It passes on no request, no
path and no command of the caller's: whoever uses Docker freely is root, and a key that leaks must not be.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from onhost import docker_call, docker_reads, docker_removals, door, fence, session
from onhost.docker_call import Call
from onhost.door import Program, Verb
from onhost.refusals import Refused

PROGRAM = "launchplane-docker"


def main() -> int:
    """Do what standard input asks for; the exit status is in door.py."""
    return door.serve(Program(PROGRAM, frozenset(), VERBS, docker_call.take, _as_root))


def _as_root(call: Call, act: Callable[[Call], None]) -> None:
    if os.geteuid() != 0:
        raise Refused("not_root", "run it as root, by sudo")
    if call.fencing_token is None:
        act(call)
        return
    door.require_at_end(call)
    with session.used(call.session or ""), fence.held(call.fencing_token, dry_run=call.dry_run):
        act(call)


VERBS = {
    "identify": Verb(docker_reads.identify, changes=False),
    "observe": Verb(docker_reads.observe, docker_reads.OBSERVE_FIELDS, changes=False),
    "glance": Verb(docker_reads.glance, docker_reads.GLANCE_FIELDS, changes=False),
    "layers": Verb(docker_reads.layers, changes=False),
    "machine": Verb(docker_reads.machine, docker_reads.MACHINE_FIELDS, changes=False),
    "remove_image": Verb(docker_removals.remove_image, docker_removals.IMAGE_FIELDS),
    "remove_container": Verb(docker_removals.remove_container, docker_removals.CONTAINER_FIELDS),
    "remove_volume": Verb(docker_removals.remove_volume, docker_removals.VOLUME_FIELDS),
    "prune_build_cache": Verb(docker_removals.prune_build_cache, docker_removals.CACHE_FIELDS),
    "prune_builder": Verb(docker_removals.prune_builder, docker_removals.BUILDER_FIELDS),
}
