"""The programs on a host, and the one way to ask them: one line out, an answer that is checked, typed problems.

What changes a host is spent from the running change's calls first, and goes out only while the host is held for it.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from typing_extensions import Buffer

from launchplane.hosts import boundary
from launchplane.hosts.answers import BUSY, HOLD, Json, ProgramAnswer, read_answer
from launchplane.hosts.carriers import Carrier, carrier_of
from launchplane.hosts.errors import HostUnavailable
from launchplane.hosts.models import Host
from launchplane.hosts.opened import Opened
from launchplane.problems import Waits
from onhost import VERSION

HOLD_SECONDS: Final = 30.0
ANSWER_BYTES: Final = 1024 * 1024
# every other verb changes something, also one that is not known here
READING: Final = frozenset({"observe", "identify", "glance", "layers", "machine"})


class HeldElsewhere(Waits):
    """Somebody else changes this host right now, as the host itself says."""


@dataclass(frozen=True, slots=True)
class _Session:
    id: str
    opened: Opened


# by the host's name: whoever asks a program in this process does so within the session that this process holds
_sessions: dict[str, _Session] = {}


class Programs:
    """The programs of one host, through whatever carries a request there."""

    def __init__(self, host: str, carrier: Carrier) -> None:
        self._host, self._carrier = host, carrier

    @property
    def are_expected(self) -> bool:
        """Whether this host has them: over ssh nothing works without, on this machine they may be installed."""
        return self._carrier.is_expected()

    def ask(
        self,
        program: str,
        request: Mapping[str, Json],
        *,
        payload: Buffer = b"",
        timeout_seconds: float,
        call: str = "",
        max_answer_bytes: int = ANSWER_BYTES,
        raw: bool = False,
    ) -> ProgramAnswer:
        """Have `program` do `request`, which has its verb; version and host are added, and what a change needs.

        Whatever changes the host is spent as `call` (if empty "PROGRAM VERB") before it is sent, unless it is a
        dry-run. Secrets go into `payload`, which nothing keeps, and so does what is large, as a mapped file. With `raw`
        the facts come as the host told them.

        Raises HostUnavailable: nothing was begun. AnswerLost, and AnswerUnusable among them: nobody knows what was
        done. Refused by the boundary. What the program itself refuses is an answer that is not `ok`.
        """
        full: dict[str, Json] = {"version": VERSION, "host": self._host, "dry_run": False, **request}
        verb = full.get("verb")
        if verb not in READING:
            full = {"fencing_token": 0, "session": "", **full}
            full["session"] = full["session"] or self._live_session()
            full["fencing_token"] = full["fencing_token"] or boundary.fencing_token()
            if full["dry_run"] is not True:
                boundary.spend(call or f"{program} {verb}")
        result = self._carrier.run(
            program, (_line(full), payload), timeout_seconds=timeout_seconds, max_answer_bytes=max_answer_bytes
        )
        return read_answer(program, full, result, raw=raw)

    @contextmanager
    def session(self) -> Iterator[str]:
        """Within, the host is held for this process alone, and its programs change it for nobody else.

        Raises HeldElsewhere if somebody else holds it, HostUnavailable or AnswerLost if it cannot be held.
        """
        request: dict[str, Json] = {
            "version": VERSION,
            "verb": "hold",
            "host": self._host,
            "session": secrets.token_hex(16),
        }
        with self._carrier.opened(HOLD, _line(request), timeout_seconds=HOLD_SECONDS) as program:
            answer = read_answer(HOLD, request, program.first)
            if answer.status == BUSY:
                raise HeldElsewhere("host_busy", f"{self._host} is being changed by another control plane or program.")
            if not answer.ok:
                raise HostUnavailable(answer.code, f"{self._host} cannot be held: {answer.summary}")
            _sessions[self._host] = held = _Session(str(request["session"]), program)
            try:
                yield held.id
            finally:
                _sessions.pop(self._host, None)

    def is_held(self) -> bool:
        """Whether this process holds the host, and nothing has cut it off since."""
        held = _sessions.get(self._host)
        return held is not None and held.opened.is_alive()

    def _live_session(self) -> str:
        if not self.is_held():
            raise HostUnavailable(
                "session_lost", f"{self._host} is not held by this worker, or not any more: nothing is asked of it."
            )
        return _sessions[self._host].id


def programs_of(host: Host) -> Programs:
    """How to ask the programs of `host`. Raises HostProblem if its record says of no way to reach it."""
    return Programs(host.name, carrier_of(host))


def _line(request: Mapping[str, Json]) -> bytes:
    return json.dumps(request, allow_nan=False).encode() + b"\n"
