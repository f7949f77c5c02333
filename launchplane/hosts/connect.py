"""From a host's record to its engine, with the identity checked before anything is believed."""

from launchplane.hosts.contracts import EngineIdentity
from launchplane.hosts.engine import Engine
from launchplane.hosts.errors import NotBuiltYet
from launchplane.hosts.local_engine import LocalEngine
from launchplane.hosts.local_removals import LocalRemover
from launchplane.hosts.models import Host
from onhost.engine.questions import require_pinned
from onhost.engine.removals import Remover


def engine_of(host: Host) -> Engine:
    """The door to the host's Docker. Raises NotBuiltYet for ssh."""
    if host.connection == Host.Connection.SSH:
        raise NotBuiltYet(
            "ssh_not_built", "Hosts over ssh are not built yet: add an engine of this machine with --connection local."
        )
    return LocalEngine(host.docker_url)


def identify_new(host: Host) -> EngineIdentity:
    """Who answers at a host that is about to be added. Raises EngineUnavailable."""
    return engine_of(host).identify()


def identify(host: Host) -> EngineIdentity:
    """Who answers, if it is the engine that was pinned. Raises EngineUnavailable, EngineReplaced."""
    identity = engine_of(host).identify()
    require_pinned(identity, host.engine_id)
    return identity


def remover_of(host: Host, *, api_version: str) -> Remover:
    """The door through which things are taken from the host's Docker, as its engine was pinned. Raises NotBuiltYet."""
    if host.connection == Host.Connection.SSH:
        raise NotBuiltYet("ssh_not_built", "Hosts over ssh are not built yet: nothing can be changed there.")
    return LocalRemover(host.docker_url, api_version=api_version, engine_id=host.engine_id)
