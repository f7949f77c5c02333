"""One reading of a machine over ssh, by the code that reads this one, as far as its administrator allows."""

import math
from typing import Any, Final

from django.utils import timezone
from pydantic import ValidationError

from launchplane.hosts.answers import Json
from launchplane.hosts.contracts import MachineFacts, MachineQuestion
from launchplane.hosts.errors import HostProblem
from launchplane.hosts.machine import DEFAULT_SECONDS
from launchplane.hosts.programs import Programs
from launchplane.hosts.remote_engine import DOCKER
from launchplane.words import clean_message

MORE_SECONDS: Final = 30.0
LARGEST_ANSWER: Final = 16 * 1024 * 1024
LARGEST_NUMBER: Final = 2**53 - 1  # the largest that canonical JSON can hold (RFC 8785, section 3.2.2.3)
NOTHING: Final = ("runner_roots", "container_logs", "runner_processes", "competing_prunes", "registry_logins")


def read_machine_there(programs: Programs, question: MachineQuestion) -> MachineFacts:
    """What the machine says; where it cannot be asked, or says nothing that can be believed, all is unmeasured."""
    seconds = _seconds_left(question)
    request: dict[str, Json] = {
        "verb": "machine",
        "docker_root": question.docker_root,
        "runner_roots": list(question.runner_roots),
        "docker_configs": list(question.docker_configs),
        "seconds": seconds,
    }
    try:
        answer = programs.ask(DOCKER, request, timeout_seconds=seconds + MORE_SECONDS, max_answer_bytes=LARGEST_ANSWER)
    except HostProblem as problem:
        return _unmeasured(question, problem.sentence)
    if not answer.ok:
        return _unmeasured(question, f"the host says: {answer.summary}")
    return _believed(answer.facts.get("machine"), question)


def _seconds_left(question: MachineQuestion) -> int:
    if question.deadline is None:
        return int(DEFAULT_SECONDS)
    return max(1, math.ceil((question.deadline - timezone.now()).total_seconds()))


def _believed(told: object, question: MachineQuestion) -> MachineFacts:
    try:
        facts = MachineFacts.model_validate(told, strict=False)
    except ValidationError:
        return _unmeasured(question, "what the host tells of its machine has not the shape of a reading")
    asked = {question.docker_root, "/", *question.runner_roots}
    if not _is_countable(told) or not {disk.path for disk in facts.disks} <= asked:
        return _unmeasured(question, "what the host tells of its machine can't be")
    return facts.model_copy(
        update={"unmeasured": {field: clean_message(why) for field, why in facts.unmeasured.items()}}
    )


def _is_countable(told: Any) -> bool:
    """No number in it is below zero, or more than can be written down."""
    if isinstance(told, dict):
        return all(map(_is_countable, told.values()))
    if isinstance(told, list | tuple):
        return all(map(_is_countable, told))
    return not isinstance(told, int) or 0 <= told <= LARGEST_NUMBER


def _unmeasured(question: MachineQuestion, why: str) -> MachineFacts:
    paths = dict.fromkeys((question.docker_root, "/", *question.runner_roots))
    fields = [*NOTHING, *(f"disk:{path}" for path in paths)]
    return MachineFacts(
        disks=(),
        runner_roots=None,
        container_logs=None,
        runner_processes=None,
        competing_prunes=None,
        registry_logins=None,
        unmeasured=dict.fromkeys(fields, why),
    )
