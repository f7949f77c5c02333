"""The order of a start: state and port, database, engine, hosts and their first report, programs, then the people."""

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.utils import timezone

from hygiene.services import observe_host
from launchplane import kernel
from launchplane.hosts.models import Host
from launchplane.problems import Problem
from launchplane.sandbox.dockerd import PrivateEngine, find_dockerd
from launchplane.sandbox.ping import silence
from launchplane.schedule.heartbeat import ask_for_beats, heard_since
from launchplane.server import packages
from launchplane.server.announcement import announcement
from launchplane.server.engine_choice import EngineChoice, Situation, choose
from launchplane.server.first_start import create_first_accounts
from launchplane.server.hosts import ensure_local_host, ensure_sandbox_host
from launchplane.server.programs import is_healthy, programs, require_free_port
from launchplane.server.supervisor import CannotStart, Supervisor
from launchplane.server.words import complain, say

QUEUE_PATIENCE_SECONDS = 10.0


def serve() -> int:
    """Start, run until a signal, end everything. 0 after a signal, 1 if something could not be started."""
    try:
        with _only_server(settings.VAR), _to_close() as at_the_end:
            require_free_port()
            _bring_up(at_the_end)
            _run()
    except Problem as problem:
        complain(problem.sentence)
        return 1
    except CannotStart as error:
        complain(str(error))
        return 1
    say("stopped.")
    return 0


@contextmanager
def _only_server(state: Path) -> Iterator[None]:
    """Hold the state directory's lock: two servers would share one sandbox and one schedule."""
    with (state / "server.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem("already_running", f"Launchplane already runs with the state in {state}.") from error
        yield


@contextmanager
def _to_close() -> Iterator[ExitStack]:
    """What must be undone at the end, and is not interrupted by further signals while it is."""
    with ExitStack() as stack:
        try:
            yield stack
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)


def _bring_up(at_the_end: ExitStack) -> None:
    """Database, engine and hosts; a new host gets its first report now."""
    call_command("migrate", interactive=False, verbosity=0)
    choice = _choose_engine()
    say(choice.sentence)
    try:
        for host in _hosts(choice, at_the_end):
            say(f"Taking the first report of {host.name}.")
            observe_host(host, asked_by="first start")
    except Problem as problem:
        if settings.SANDBOX == "always":
            raise
        complain(f"{problem.sentence} Starting all the same.")
    connections.close_all()


def _hosts(choice: EngineChoice, at_the_end: ExitStack) -> Iterator[Host]:
    """The hosts that this start adds."""
    if choice.url and (host := ensure_local_host(choice.url)):
        yield host
    if choice.sandbox and (host := ensure_sandbox_host(_start_sandbox(at_the_end))):
        yield host


def _choose_engine() -> EngineChoice:
    situation = Situation(
        mode=settings.SANDBOX,
        docker_host=os.environ.get("DOCKER_HOST", ""),
        has_hosts=Host.objects.exists(),
        sandbox_was_made=(_sandbox_folder() / "data").is_dir(),
        can_make_sandbox=os.geteuid() == 0 and (find_dockerd() is not None or packages.can_install()),
    )
    return choose(situation, silence=silence)


def _sandbox_folder() -> Path:
    return Path(settings.VAR) / "sandbox"


def _start_sandbox(at_the_end: ExitStack) -> PrivateEngine:
    lacking = [] if find_dockerd() else ["docker.io"]
    if not _has_static_busybox():
        lacking.append("busybox-static")
    if lacking:
        say(f"Installing {' and '.join(lacking)}; no service is started.")
        packages.install(lacking)
    engine = PrivateEngine(_sandbox_folder())
    at_the_end.callback(kernel.reap_orphans, known=())  # the containers' shims, which the engine's end leaves to us
    at_the_end.callback(engine.stop)
    engine.start()
    return engine


def _has_static_busybox() -> bool:
    """Images that hold nothing but busybox need one that loads no library."""
    found = shutil.which("busybox", path="/bin:/usr/bin")
    return found is not None and b"/ld-" not in Path(found).read_bytes()[:4096]


def _run() -> None:
    supervisor = Supervisor(programs(), say=say)
    supervisor.stop_on_signals()
    supervisor.run(ready=_Ready(), on_ready=_announce)
    say("stopping.")


class _Ready:
    """The web answers and both queues work. A queue that is busy with a host that hangs holds up nobody for long."""

    def __init__(self) -> None:
        self._since, self._patience_ends = timezone.now(), time.monotonic() + QUEUE_PATIENCE_SECONDS
        ask_for_beats()

    def __call__(self) -> bool:
        return is_healthy() and (heard_since(self._since) or time.monotonic() > self._patience_ends)


def _announce() -> None:
    accounts = create_first_accounts()
    hosts = list(Host.objects.all())
    connections.close_all()
    print(announcement(url=settings.PUBLIC_URL, hosts=hosts, accounts=accounts), flush=True)
