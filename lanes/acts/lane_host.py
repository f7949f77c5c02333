"""A lane's host during one run, asked for one step after the other. The engine holds it for the whole of that."""

from collections.abc import Mapping

from typing_extensions import Buffer

from lanes.acts import requests
from lanes.acts.outcomes import of_answer, unknown
from lanes.contracts import Desired
from lanes.plan.verbs import Verb
from launchplane.changes.contracts import StepOutcome
from launchplane.hosts.answers import Json, ProgramAnswer
from launchplane.hosts.errors import AnswerLost, HostProblem
from launchplane.hosts.models import Host
from launchplane.hosts.programs import programs_of


class LaneHost:
    """Raises HostProblem when its record says of no way to reach it, and each method when it cannot be reached."""

    def __init__(self, host: Host) -> None:
        self._programs = programs_of(host)

    def facts(self, desired: Desired) -> Mapping[str, Json]:
        """What is there of the lane, as the host tells it: still to be judged. Raises HostProblem."""
        asking = requests.observing(desired)
        answer = self._programs.ask(asking.program, asking.request, timeout_seconds=asking.timeout_seconds)
        if not answer.ok:
            raise HostProblem(answer.code, f"The host did not tell of the lane: {answer.summary}")
        return answer.facts

    def main_pid(self, desired: Desired) -> int | None:
        """The number of the process that systemd started for the unit; None without one. Raises HostProblem."""
        service = self.facts(desired).get("service")
        number = service.get("main_pid") if isinstance(service, Mapping) else None
        return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None

    def take(self, verb: Verb, desired: Desired) -> StepOutcome:
        """One step that needs nothing but the lane. Nobody knows what became of one whose answer is lost."""
        try:
            return of_answer(self.ask(requests.asking(verb, desired)))
        except AnswerLost as lost:
            return unknown(lost.sentence, {"code": lost.code})

    def ask(self, asking: requests.Asking, *, payload: Buffer = b"") -> ProgramAnswer:
        """The answer to one request; a secret or a package is its `payload`. Raises HostProblem, AnswerLost too."""
        return self._programs.ask(
            asking.program, asking.request, payload=payload, timeout_seconds=asking.timeout_seconds
        )
