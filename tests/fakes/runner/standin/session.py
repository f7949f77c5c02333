"""The listener's session with GitHub: one process of a runner at a time has it."""

import os
import threading
import uuid
from typing import Any

from . import patience, server, store
from .codes import DEPRECATED_IN_WORDS, SESSION_CONFLICT, TERMINATED, VERSION_DEPRECATED, Ended
from .trace import Trace, now

DELETED = (
    "Failed to create a session. The runner registration has been deleted from the server, please re-configure. "
    "Runner registrations are automatically deleted for runners that have not connected to the service recently."
)


class Session:
    """What `.runner` says, and a name for this process. `stop` is set when it is to end."""

    def __init__(self, trace: Trace, stop: threading.Event) -> None:
        found = store.settings()
        if not found:
            raise Ended(TERMINATED, "An error occurred: Not configured. Run config.(sh/cmd) to configure the runner.")
        self.server, self.id, self.agent_name = str(found["serverUrl"]), int(found["agentId"]), found["agentName"]
        self.settings = found
        self._bearer, self._name = f"Bearer {store.secret()}", str(uuid.uuid4())
        self._trace, self._stop = trace, stop

    def open(self) -> None:
        """Go online. Raises Ended where GitHub does not want this runner; waits where GitHub is not there."""
        for number in range(1, patience.TRIES_FOR_A_SESSION + 1):
            try:
                self._reconnecting("online", session=self._name)
            except server.Refused as refused:
                self._trace.fail("A session for this runner already exists.")
                self._trace.write("MessageListener", f"Attempt {number} to create session: {refused}", level="ERR")
                self._stop.wait(patience.BETWEEN_TRIES)
            else:
                self._trace.write("MessageListener", "Session created.")
                return
        raise Ended(SESSION_CONFLICT, "Failed to create session. Session conflict.")

    def poll(self) -> dict[str, Any]:
        """What there is to do; empty when nothing."""
        try:
            return self._reconnecting("poll")
        except server.Refused:
            self._trace.write("MessageListener", "TaskAgentSessionExpiredException received", level="ERR")
            self.open()
            return {}

    def beat(self) -> None:
        """Stay online while a job is at work."""
        try:
            self._ask("online", session=self._name)
        except (OSError, server.Refused) as error:
            self._trace.write("JobDispatcher", f"Job request renewal failed: {error}", level="WARN")

    def done(self, job: int, result: str, log: str) -> None:
        """Tell how a job ended."""
        self._reconnecting("done", job=job, result=result, log=log)

    def close(self) -> None:
        """Go offline; a server that does not answer will find out."""
        try:
            self._ask("offline")
        except (OSError, server.Refused) as error:
            self._trace.write("MessageListener", f"Delete session: {error}", level="WARN")

    def _reconnecting(self, path: str, **body: object) -> dict[str, Any]:
        """Until somebody answers. Raises Ended or Refused (409)."""
        told = False
        while True:
            try:
                found = self._ask(path, **body)
            except OSError as error:
                if not told:
                    self._trace.fail(f"{now()}: Runner connect error: {error}. Retrying until reconnected.")
                told = True
                if self._stop.wait(patience.BETWEEN_TRIES):
                    return {}
            else:
                if told:
                    self._trace.say(f"{now()}: Runner reconnected.")
                return found

    def _ask(self, path: str, **body: object) -> dict[str, Any]:
        try:
            return server.ask(self.server, f"{self.id}/{path}", self._bearer, **body)
        except server.Refused as refused:
            if refused.status == 409:
                raise
            raise _over(refused) from None


def _over(refused: server.Refused) -> Exception:
    """What the runner makes of an answer after which there is no going on."""
    if refused.status in (401, 404):
        return Ended(TERMINATED, DELETED)
    if refused.status == 403:
        code = VERSION_DEPRECATED if os.environ.get(DEPRECATED_IN_WORDS) == "1" else TERMINATED
        return Ended(code, f"An error occured: {refused}")
    return OSError(f"{refused.status} {refused}")
