"""What carries a request to a host's programs: ssh with a forced command, or the same program started here."""

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings

from launchplane.hosts.command import CommandResult, Stdin, run
from launchplane.hosts.errors import AnswerLost, HostUnavailable
from launchplane.hosts.models import Host
from launchplane.hosts.opened import Opened, opened
from launchplane.hosts.ssh import SshHost
from launchplane.hosts.ssh_target import HostKey, Target
from onhost import FOLDER

DISPATCH_PATH: Final = Path(FOLDER) / "launchplane-dispatch"


class Carrier(Protocol):
    """Brings `stdin` to one program, named by one word, and back what it printed.

    Both raise HostUnavailable if nothing was begun, and AnswerLost if it was and its end is not known.
    """

    def run(self, word: str, stdin: Stdin, *, timeout_seconds: float, max_answer_bytes: int) -> CommandResult: ...

    def opened(self, word: str, stdin: bytes, *, timeout_seconds: float) -> AbstractContextManager[Opened]: ...

    def is_expected(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class OverSsh:
    """The forced command of our key is launchplane-dispatch, which reads the word as what it is asked for."""

    host: SshHost

    def run(self, word: str, stdin: Stdin, *, timeout_seconds: float, max_answer_bytes: int) -> CommandResult:
        return self.host.run([word], stdin=stdin, timeout_seconds=timeout_seconds, max_output_bytes=max_answer_bytes)

    def opened(self, word: str, stdin: bytes, *, timeout_seconds: float) -> AbstractContextManager[Opened]:
        return self.host.opened([word], stdin=stdin, timeout_seconds=timeout_seconds)

    def is_expected(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Here:
    """The same program, on this machine."""

    dispatch: Path

    def run(self, word: str, stdin: Stdin, *, timeout_seconds: float, max_answer_bytes: int) -> CommandResult:
        result = run(
            [str(self.dispatch)],
            env=_environment(word),
            stdin=stdin,
            timeout_seconds=timeout_seconds,
            max_output_bytes=max_answer_bytes,
            stop_when_full=True,
        )
        if result.timed_out or result.truncated or result.returncode < 0:
            why = f"took more than {timeout_seconds:g} s" if result.timed_out else "was killed, or said too much"
            raise AnswerLost("program_lost", f"{word} {why}. What it did is not known.")
        return result

    def opened(self, word: str, stdin: bytes, *, timeout_seconds: float) -> AbstractContextManager[Opened]:
        return opened([str(self.dispatch)], env=_environment(word), stdin=stdin, timeout_seconds=timeout_seconds)

    def is_expected(self) -> bool:
        return self.dispatch.exists()


def carrier_of(host: Host) -> Carrier:
    """How requests come to `host`. Raises HostProblem for an ssh target or host key that is none."""
    if host.connection == Host.Connection.SSH:
        return OverSsh(ssh_host(host.ssh_target, host.ssh_host_key))
    return Here(DISPATCH_PATH)


def ssh_host(target: str, host_key: str) -> SshHost:
    """A host over ssh, with the key of this control plane. Raises HostProblem, HostUnavailable."""
    if not target or not host_key:
        raise HostUnavailable("ssh_not_pinned", "This host has no ssh target or no pinned host key: add it anew.")
    return SshHost(Target.parse(target), HostKey.parse(host_key), Path(settings.SSH_KEY))


def _environment(word: str) -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "SSH_ORIGINAL_COMMAND": word}
