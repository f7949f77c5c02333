"""Look at a host once: the engine and the machine side by side. Read-only; nothing is stored here."""

import os
import pwd
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from django.utils import timezone

from hygiene.contracts import Observation
from hygiene.parse.assemble import assemble_inventory, assemble_readings
from launchplane.hosts.connect import engine_of, read_machine_of
from launchplane.hosts.contracts import MachineFacts, MachineQuestion
from launchplane.hosts.engine import Engine, Progress
from launchplane.hosts.install.host_json import docker_configs as configs_there
from launchplane.hosts.install.lanes import lanes_on
from launchplane.hosts.models import Host

MACHINE_TIME = timedelta(seconds=40)


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over a host, and the engine it was made with (its layers may still be asked for)."""

    observation: Observation
    engine: Engine


def observe(host: Host, *, since: datetime | None, progress: Progress) -> Pass:
    """One pass over `host`; events since `since`. Raises EngineUnavailable, EngineReplaced."""
    started, now = monotonic(), timezone.now()
    engine = engine_of(host)
    with ThreadPoolExecutor(1, thread_name_prefix="machine") as pool:
        reading = pool.submit(_read_machine, host, host.docker_root)
        raw = engine.observe(since=since, until=now, progress=progress, pinned_id=host.engine_id)
        machine = reading.result()
    if raw.identity.docker_root != host.docker_root:
        machine = _read_machine(host, raw.identity.docker_root)
    readings, events = assemble_readings(raw, machine)
    observation = Observation(
        inventory=assemble_inventory(raw),
        readings=readings,
        events=events,
        observed_at=now,
        duration_ms=int((monotonic() - started) * 1000),
    )
    return Pass(observation, engine)


def _read_machine(host: Host, docker_root: str) -> MachineFacts:
    """Within MACHINE_TIME from now: a second reading does not have to live on what the first one left of it."""
    question = MachineQuestion(
        docker_root=docker_root,
        runner_roots=tuple(host.runner_roots),
        docker_configs=docker_configs(host),
        deadline=timezone.now() + MACHINE_TIME,
    )
    return read_machine_of(host, question)


def docker_configs(host: Host) -> tuple[str, ...]:
    """Where a Docker client of this process, of a service user or of a lane of `host` keeps its logins."""
    if host.connection == Host.Connection.SSH:
        return configs_there(lanes_on(host))
    accounts = [_account(os.geteuid()), *map(_account, host.service_users)]
    return tuple(str(Path(account.pw_dir) / ".docker" / "config.json") for account in accounts if account is not None)


def _account(user: int | str) -> pwd.struct_passwd | None:
    """The account of a user by number or name; a number may have none, as in some containers."""
    try:
        return pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user)
    except KeyError:
        return None
