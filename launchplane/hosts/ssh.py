"""Commands on another machine, through OpenSSH's own client, to a host whose key is pinned.

Nothing of the user that runs it counts: no configuration, agent, known hosts or environment. One connection a
command, and nothing is forwarded. Each problem says whether the command was begun there.
"""

import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from launchplane.hosts.command import CommandResult, Stdin, run
from launchplane.hosts.errors import AnswerLost, HostUnavailable
from launchplane.hosts.opened import LONGEST_LINE, Opened, opened
from launchplane.hosts.ssh_target import HostKey, Target
from launchplane.words import clean_message

# the name that the pinned key has in the list of known hosts, whatever name or address the host is reached by
ALIAS: Final = "pinned"
NOT_IN_PATHS: Final = frozenset('%$"\\\n')
CONNECTION_FAILED: Final = 255
LOG_CHARACTERS: Final = 64 * 1024
LONGEST_COMMAND_BYTES: Final = 120_000  # Linux takes arguments below 128 KiB
ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
OPTIONS: Final = (
    "BatchMode=yes",
    "CheckHostIP=no",
    "ClearAllForwardings=yes",
    "ConnectionAttempts=1",
    "ControlMaster=no",
    "ControlPath=none",
    "EscapeChar=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "GlobalKnownHostsFile=/dev/null",
    f"HostKeyAlias={ALIAS}",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "LogLevel=VERBOSE",  # from here on it tells when somebody is let in
    "PermitLocalCommand=no",
    "PreferredAuthentications=publickey",
    "RequestTTY=no",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long connecting may take, and how long a host may be silent on an open connection: count × seconds."""

    connect_seconds: int = 10
    alive_seconds: int = 5
    alive_count: int = 3


@dataclass(frozen=True, slots=True)
class SshHost:
    """A host that commands are run on. `identity` is the file of our private key, without a passphrase."""

    target: Target
    host_key: HostKey
    identity: Path
    patience: Patience = Patience()

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_seconds: float,
        stdin: Stdin = None,
        max_output_bytes: int = 8 * 1024 * 1024,
    ) -> CommandResult:
        """Run a program there. Its arguments arrive as they are, by a POSIX shell or as what a forced command is asked.

        Raises HostUnavailable if it was not begun there, and AnswerLost if it was and how it ended is not known: it
        may still be running. Status 255 means that to ssh, so no program of ours may end with it. A host that has a
        banner shows it first of all on `stderr`.
        """
        with self._prepared(argv) as (command, log):
            result = run(
                command,
                timeout_seconds=timeout_seconds,
                stdin=stdin,
                env=ENVIRONMENT,
                max_output_bytes=max_output_bytes,
                stop_when_full=True,
            )
            self._require_an_end(result, _read(log), timeout_seconds, max_output_bytes)
        return result

    @contextmanager
    def opened(self, argv: Sequence[str], *, stdin: bytes, timeout_seconds: float) -> Iterator[Opened]:
        """A program there that has said its first line, or has ended; it is left its input open within, and no longer.

        Raises HostUnavailable and AnswerLost as `run` does.
        """
        with (
            self._prepared(argv) as (command, log),
            opened(command, env=ENVIRONMENT, stdin=stdin, timeout_seconds=timeout_seconds) as program,
        ):
            self._require_an_end(program.first, _read(log), timeout_seconds, LONGEST_LINE)
            yield program

    @contextmanager
    def _prepared(self, argv: Sequence[str]) -> Iterator[tuple[list[str], Path]]:
        """The command line of ssh, and the file that it writes its own words to; both are of no use afterwards."""
        program = _checked(self.identity)
        with tempfile.TemporaryDirectory(prefix="lp-ssh-") as folder:
            log = Path(folder) / "log"
            command = [program, *self._arguments(Path(folder), log), "--", self.target.host, remote_command(argv)]
            yield command, log

    def _require_an_end(self, result: CommandResult, said: str, timeout_seconds: float, max_output_bytes: int) -> None:
        if result.returncode != 0 and not _was_begun(said):
            raise self._not_begun(result, said, timeout_seconds)
        if result.timed_out or result.truncated or result.returncode == CONNECTION_FAILED:
            raise self._lost(result, said, timeout_seconds, max_output_bytes)

    def _arguments(self, folder: Path, log: Path) -> list[str]:
        """ssh's own words go into `log`, so that what the host writes is never taken for one of them."""
        known = folder / "known_hosts"
        known.write_text(f"{ALIAS} {self.host_key}\n")
        options = [
            *OPTIONS,
            f'UserKnownHostsFile="{known}"',
            f'IdentityFile="{self.identity.absolute()}"',
            f"ConnectTimeout={self.patience.connect_seconds}",
            f"ServerAliveInterval={self.patience.alive_seconds}",
            f"ServerAliveCountMax={self.patience.alive_count}",
            f"Port={self.target.port}",
            f"User={self.target.user}",
        ]
        return ["-F", "none", "-E", str(log), *(word for option in options for word in ("-o", option))]

    def _lost(self, result: CommandResult, said: str, timeout_seconds: float, max_output_bytes: int) -> AnswerLost:
        where, after = self.target, "What it did is not known, and it may still be at it."
        if result.timed_out:
            return AnswerLost("ssh_timed_out", f"The command on {where} took more than {timeout_seconds:g} s. {after}")
        if result.truncated:
            return AnswerLost("ssh_answer_too_large", f"{where} sent more than {max_output_bytes} bytes. {after}")
        if "not responding" in said:
            return AnswerLost("ssh_silent", f"{where} does not answer any more on an open connection. {after}")
        return AnswerLost("ssh_cut", f"{where} never said how the command ended: killed, or the line was cut. {after}")

    def _not_begun(self, result: CommandResult, said: str, timeout_seconds: float) -> HostUnavailable:
        if "Host key verification failed" in said or "no matching host key type" in said:
            return HostUnavailable(
                "ssh_host_key_changed",
                f"What answers at {self.target} has not the pinned host key {self.host_key.fingerprint}. Nothing was "
                "sent there. Only if the machine was rebuilt on purpose: pin its new key.",
            )
        if "Load key" in said:
            return _bad_identity(self.identity, _last(said, "Load key"))
        if "Permission denied" in said:
            if _is_locked(self.identity):
                return _bad_identity(self.identity, "it has a passphrase, and nobody is there to type it")
            return HostUnavailable(
                "ssh_key_refused",
                f"{self.target} does not let the key {self.identity} in. Put its public half into that user's "
                "authorized_keys there, or correct the user.",
            )
        why = f"no answer within {timeout_seconds:g} s" if result.timed_out else _last(said or result.stderr)
        return HostUnavailable("ssh_unreachable", f"{self.target} cannot be reached by ssh: {why}.")


def remote_command(argv: Sequence[str]) -> str:
    """The one string that ssh carries, from which a POSIX shell makes `argv` again.

    Raises ValueError for what no host can be sent: nothing (it would be a login shell), a NUL, or too much.
    """
    if not argv or not argv[0] or any("\0" in word for word in argv):
        raise ValueError("a command for a host needs a program, and no word of it may hold a NUL")
    command = shlex.join(argv)
    if len(os.fsencode(command)) > LONGEST_COMMAND_BYTES:
        raise ValueError(f"a command for a host has at most {LONGEST_COMMAND_BYTES} bytes: send more on standard input")
    return command


def _checked(identity: Path) -> str:
    """The client's path, if it is there and so is the key. Raises HostUnavailable."""
    program = shutil.which("ssh")
    if program is None:
        raise HostUnavailable("ssh_missing", "ssh is not installed here (on Debian: apt-get install openssh-client).")
    if NOT_IN_PATHS & set(str(identity.absolute())):
        raise _bad_identity(identity, 'ssh reads % $ " \\ in a path as something else')
    try:
        if not stat.S_ISREG(identity.stat().st_mode):
            raise _bad_identity(identity, "it is no ordinary file")
        identity.open("rb").close()
    except OSError as error:
        raise _bad_identity(identity, error.strerror or "it can't be read") from error
    return program


def _is_locked(identity: Path) -> bool:
    """ssh passes over a key with a passphrase in silence when it may not ask for that."""
    asked = run(["ssh-keygen", "-y", "-P", "", "-f", str(identity)], timeout_seconds=10)
    return "passphrase" in asked.stderr


def _bad_identity(identity: Path, why: str) -> HostUnavailable:
    return HostUnavailable("ssh_identity_unusable", f"The key file {identity} can't be used: {why}.")


def _was_begun(said: str) -> bool:
    """ssh tells whom it was let in by before it asks for the command. A host can neither take that back nor hide it."""
    return "Authenticated to " in said or len(said) >= LOG_CHARACTERS


def _read(log: Path) -> str:
    try:
        with log.open(encoding="utf-8", errors="replace") as file:
            return file.read(LOG_CHARACTERS)
    except FileNotFoundError:
        return ""


def _last(said: str, containing: str = "") -> str:
    """ssh's last words, fit for a sentence; the host may have had a part in them."""
    lines = [line for line in said.splitlines() if containing in line and line.strip()]
    return clean_message(lines[-1]).removeprefix("ssh: ").rstrip(".") if lines else "it said nothing"
