"""Why a program was not let in: a code for its log and ours, and a record of it."""

from audits import record
from launchplane.access import tries
from launchplane.access.people import NOBODY, Principal
from launchplane.problems import Problem, Waits


class NotLetIn(Problem):
    """401: what came as a bearer is none that is good here, whatever else came with it.

    `by` is whoever it was for certain, `about` what can be said of it without repeating any of it.
    """

    def __init__(self, code: str, sentence: str, *, by: Principal = NOBODY, about: str = "") -> None:
        super().__init__(code, sentence)
        self.by, self.about = by, about


def tell(problem: NotLetIn | Waits, *, address: str) -> None:
    """On record, so many an hour for one identity and code. Not within a transaction. Raises AuditRefused."""
    by, about = (problem.by, problem.about) if isinstance(problem, NotLetIn) else (NOBODY, "")
    if (counted := tries.refusal(by, problem.code)) is None:
        return
    said = {"wanted": "call /v1", "code": problem.code, "why": problem.sentence, "from": address, **counted}
    record.append_apart(
        kind="access.denied",
        key=by.name,
        status="failed",
        payload=said | ({"about": about} if about else {}),
        actor=by.actor(),
        source="api",
    )
