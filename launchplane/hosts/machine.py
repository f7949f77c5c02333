"""One reading of this machine as a contract; what is read and how is in `onhost.machine`."""

import time

from launchplane.hosts.contracts import MachineFacts, MachineQuestion
from onhost.machine.limits import Limits
from onhost.machine.read import Places, readings

DEFAULT_SECONDS = 60.0


def read_machine(question: MachineQuestion, *, root: str = "/") -> MachineFacts:
    """Everything within the question's deadline. `unmeasured` says by field what was not read, and why.

    `competing_prunes` may hold what was found although `unmeasured` says that some places could not be read.
    """
    places = Places(question.docker_root, question.runner_roots, question.docker_configs, forbidden={})
    return MachineFacts.model_validate(readings(places, Limits(_seconds_left(question)), root=root))


def _seconds_left(question: MachineQuestion) -> float:
    return DEFAULT_SECONDS if question.deadline is None else max(0.0, question.deadline.timestamp() - time.time())
