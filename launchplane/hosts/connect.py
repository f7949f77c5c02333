"""From a host's record to its engine and its machine, with the identity checked before anything is believed."""

from launchplane.hosts.contracts import EngineIdentity, MachineFacts, MachineQuestion
from launchplane.hosts.engine import Engine
from launchplane.hosts.errors import EngineUnavailable, HostProblem
from launchplane.hosts.local_engine import LocalEngine
from launchplane.hosts.local_removals import LocalRemover
from launchplane.hosts.machine import read_machine
from launchplane.hosts.models import Host
from launchplane.hosts.programs import programs_of
from launchplane.hosts.remote_engine import RemoteEngine
from launchplane.hosts.remote_machine import read_machine_there
from launchplane.hosts.remote_removals import RemoteRemover
from onhost.engine.questions import require_pinned
from onhost.engine.removals import Remover


def engine_of(host: Host) -> Engine:
    """The door to the host's Docker. Raises EngineUnavailable for one over ssh whose record is not whole."""
    if host.connection != Host.Connection.SSH:
        return LocalEngine(host.docker_url)
    try:
        return RemoteEngine(programs_of(host))
    except HostProblem as problem:
        raise EngineUnavailable(problem.code, problem.sentence) from problem


def identify_new(host: Host) -> EngineIdentity:
    """Who answers at a host that is about to be added. Raises EngineUnavailable."""
    return engine_of(host).identify()


def identify(host: Host) -> EngineIdentity:
    """Who answers, if it is the engine that was pinned. Raises EngineUnavailable, EngineReplaced."""
    identity = engine_of(host).identify()
    require_pinned(identity, host.engine_id)
    return identity


def read_machine_of(host: Host, question: MachineQuestion) -> MachineFacts:
    """One reading of the host's machine. What was not read is unmeasured, and says why."""
    if host.connection == Host.Connection.SSH:
        return read_machine_there(programs_of(host), question)
    return read_machine(question)


def remover_of(host: Host, *, api_version: str) -> Remover:
    """The door through which things are taken from the host's Docker, as its engine was pinned. Raises HostProblem."""
    if host.connection == Host.Connection.SSH:
        return RemoteRemover(programs_of(host), engine_id=host.engine_id)
    return LocalRemover(host.docker_url, api_version=api_version, engine_id=host.engine_id)
