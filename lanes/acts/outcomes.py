"""What became of a step of a lane's change, in the words of the engine that applies it. Pure."""

from collections.abc import Mapping
from typing import Final, Literal

from launchplane.changes.contracts import Json, StepOutcome
from launchplane.hosts.answers import ProgramAnswer

Word = Literal["done", "gone", "skipped", "raced", "failed", "unknown"]
# what a program's answer tells that belongs on record; config.sh's words come without its token
KEPT_FACTS: Final = ("service", "registration", "output")
BEGUN: Final = (1, 5)
PLAN_AGAIN: Final = "Plan the lane again: it goes on from what is there."


def said(word: Word, detail: str, evidence: Mapping[str, Json] | None = None) -> StepOutcome:
    """An outcome of this word."""
    return StepOutcome(outcome=word, detail=detail, freed_bytes=None, evidence=dict(evidence or {}))


def done(detail: str, evidence: Mapping[str, Json] | None = None) -> StepOutcome:
    return said("done", detail, evidence)


def failed(detail: str, evidence: Mapping[str, Json] | None = None) -> StepOutcome:
    return said("failed", detail, evidence)


def unknown(detail: str, evidence: Mapping[str, Json] | None = None) -> StepOutcome:
    return said("unknown", detail, evidence)


def of_answer(answer: ProgramAnswer) -> StepOutcome:
    """What a program on the host says that it did. One that refused changed nothing; one that failed may have."""
    evidence = evidence_of(answer)
    if answer.ok:
        return done(f"{'; '.join(answer.steps)}." if answer.steps else "It was so already.", evidence)
    if answer.status in BEGUN:
        return failed(f"It was begun, and is not as it should be: {answer.summary} {PLAN_AGAIN}", evidence)
    return failed(f"The host refused, and nothing was changed by it: {answer.summary}", evidence)


def evidence_of(answer: ProgramAnswer) -> dict[str, Json]:
    """The answer as it is kept on record: how it ended, its steps, and of its facts what is named here."""
    told: dict[str, Json] = {"status": answer.status, "steps": answer.steps}
    if not answer.ok:
        told |= {"code": answer.code, "summary": answer.summary}
    return told | {name: _json(answer.facts[name]) for name in KEPT_FACTS if name in answer.facts}


def _json(value: object) -> Json:
    """A host's fact as a record holds it: an answer is read as lists or tuples, and kept as tuples."""
    if isinstance(value, Mapping):
        return {str(name): _json(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_json(inner) for inner in value)
    return value if isinstance(value, (str, int, bool)) or value is None else str(value)
