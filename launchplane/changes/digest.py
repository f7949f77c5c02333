"""The digest that an approval binds: over the change's id and the stored text of its plan, and nothing computed again.

The plan's text holds all that matters: kind, host, target identity, steps with preconditions, protections, bounds, the
rules' version and the declared calls. The id keeps an approval from fitting another change with an equal plan.
"""

from uuid import UUID

from launchplane import canonical
from launchplane.changes.contracts import Plan

VERSION_LINE = "launchplane change 1"


def plan_text(plan: Plan) -> str:
    """The canonical text of `plan`. Raises ValueError for what that form cannot hold."""
    return canonical.canonical(plan).decode()


def change_digest(change_id: UUID, text: str) -> str:
    """Lower-case hexadecimal SHA-256, over the stored text as it is."""
    return canonical.digest(f"{VERSION_LINE}\n{change_id}\n{text}".encode())


def is_unaltered(change_id: UUID, text: str, digest: str) -> bool:
    """Whether `text` is what `digest` was made of."""
    return change_digest(change_id, text) == digest
