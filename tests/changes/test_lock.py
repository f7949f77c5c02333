"""The kernel's lock of a host, between real processes: who changes it shuts others out, who looks shuts out nobody."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from launchplane.changes import lock
from launchplane.changes.lock import HostBusy
from launchplane.hosts.models import Host

# takes the lock of the file that it is told, says so, and holds it until its input ends
HOLDS = """
import sys
from pathlib import Path
import django
django.setup()
from launchplane.changes import lock
descriptor = lock._take(Path(sys.argv[1]))
print("held" if descriptor is not None else "busy", flush=True)
sys.stdin.read()
"""

# asks again and again, until its input ends
ASKS = """
import sys, threading
import django
django.setup()
from launchplane.changes import lock
from launchplane.hosts.models import Host
over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
print("asking", flush=True)
while not over.is_set():
    lock.is_held(Host(pk=int(sys.argv[1])))
"""

Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    """Runs a script in a process of its own; whatever is left of it is killed at the end."""
    children: list[subprocess.Popen[str]] = []

    def begin(script: str, argument: object) -> "subprocess.Popen[str]":
        environment = {"DJANGO_SETTINGS_MODULE": "launchplane.settings", "LAUNCHPLANE_VAR": str(settings.VAR)}
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(argument)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment | {"PYTHONPATH": str(settings.BASE_DIR)},
        )
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.communicate()


def first_word(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


@pytest.mark.req("H28")
def test_what_another_process_holds_is_not_taken(host: Host, run: Run) -> None:
    assert first_word(run(HOLDS, lock.lock_path(host))) == "held"
    assert lock.is_held(host)
    with pytest.raises(HostBusy), lock.held(host):
        pass


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_kernel_gives_it_back_however_its_holder_ends(host: Host, run: Run, end: signal.Signals) -> None:
    holder = run(HOLDS, lock.lock_path(host))
    assert first_word(holder) == "held"
    holder.send_signal(end)
    holder.wait(timeout=60)
    assert not lock.is_held(host)
    with lock.held(host):
        assert lock.is_held(host)


def test_a_holder_that_is_stopped_still_holds_it(host: Host, run: Run) -> None:
    holder = run(HOLDS, lock.lock_path(host))
    assert first_word(holder) == "held"
    holder.send_signal(signal.SIGSTOP)
    assert lock.is_held(host)


def test_who_only_asks_turns_no_worker_away(host: Host, run: Run) -> None:
    with lock.held(host):
        pass
    assert first_word(run(ASKS, host.pk)) == "asking"
    for _ in range(2000):
        with lock.held(host):
            assert lock.is_held(host)


def test_who_asks_makes_no_file(host: Host) -> None:
    lock.lock_path(host).unlink(missing_ok=True)
    assert not lock.is_held(host)
    assert not lock.lock_path(host).exists()


def test_a_lock_that_an_operator_took_by_hand_excludes_workers(host: Host) -> None:
    with lock.held(host):
        pass
    argv = ["flock", "--nonblock", str(lock.lock_path(host)), "cat"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as by_hand:
        assert by_hand.stdin is not None
        assert by_hand.stdout is not None
        by_hand.stdin.write(b"x\n")
        by_hand.stdin.flush()
        assert by_hand.stdout.readline() == b"x\n"
        with pytest.raises(HostBusy), lock.held(host):
            pass


def test_the_gate_of_a_page_tells_who_holds_the_host_and_takes_nothing(host: Host, run: Run) -> None:
    assert lock.gate(host).reason == "Nobody else changes this host."
    with lock.held(host):
        assert lock.gate(host).reason == "This worker holds the host's lock."
    assert first_word(run(HOLDS, lock.lock_path(host))) == "held"
    gate = lock.gate(host)
    assert (gate.state, gate.reason) == ("closed", lock.busy_sentence(host))


def test_a_lock_of_one_host_is_none_of_another(host: Host, tmp_path: Path) -> None:
    other = Host.objects.create(name="other", engine_id="ENGINE:other", docker_root=str(tmp_path))
    with lock.held(host):
        assert not lock.is_held(other)
        assert not lock.is_ours(other)
