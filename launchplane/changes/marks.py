"""What a worker writes on a change's items while it applies them: an intent before each, an outcome after it.

Plain SQL, of a few short statements: they stand between one item and the next, and the ORM takes longer to write them
than a database to execute them (`script/bench dangling`).
"""

from typing import Any

from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from audits.kept import kept
from audits.redact import LIVE
from launchplane import canonical
from launchplane.changes.contracts import PlannedStep, StepOutcome
from launchplane.changes.models import Change, Step
from launchplane.changes.models.change import Status
from launchplane.commits import execute_without_waiting
from launchplane.problems import Refused

# of one item, in bytes of its canonical form: a host may answer with megabytes, and there are thousands of items
LARGEST_EVIDENCE = 64 * 1024

_CHANGES, _STEPS = Change._meta.db_table, Step._meta.db_table
_OURS = f"id = %s AND status = '{Status.APPLYING}' AND fencing_token = %s"
_ITEM = "change_id = %s AND position = %s AND outcome = ''"
_STILL = f"SELECT 1 FROM {_CHANGES} WHERE {_OURS}"  # noqa: S608  names of ours, here and below
_BEAT = f"UPDATE {_CHANGES} SET beat_at = %s WHERE {_OURS}"  # noqa: S608
_INTENT = f"UPDATE {_STEPS} SET intent_at = %s WHERE {_ITEM} AND intent_at IS NULL"  # noqa: S608
_OUTCOME = (
    f"UPDATE {_STEPS} SET outcome = %s, detail = %s, freed_bytes = %s, evidence = %s, finished_at = %s"  # noqa: S608
    f" WHERE {_ITEM} AND intent_at IS NOT NULL"
)


class ClaimLost(Refused):
    """Recovery took the change from this worker: it must not begin anything more."""


class Marks:
    """The items of one change, as the worker with `token` marks them."""

    def __init__(self, change: Change, token: int) -> None:
        self._id, self._token = _value(Change, "id", change.pk), token

    def begin(self, step: PlannedStep) -> None:
        """From here on the item may have been touched. Commits at once. Raises ClaimLost, also if it was so already."""
        now = timezone.now()
        with transaction.atomic(durable=True):
            if not _updated(_BEAT, _value(Change, "beat_at", now), self._id, self._token):
                raise ClaimLost("claim_lost", "This change was taken from its worker: it had been silent for too long.")
            if not _updated(_INTENT, _value(Step, "intent_at", now), self._id, step.position):
                raise ClaimLost("step_taken", f"Item {step.position} was begun before: it is not begun again.")

    def became(self, step: PlannedStep, outcome: StepOutcome) -> None:
        """Keep what became of an item that was begun; what somebody else saw of it first stays.

        A worker that lost its claim may still say what it did: nobody knows better. The next intent, or the record at
        the end, takes it to the disk; should the machine lose power before that, recovery looks at the item.
        """
        told = outcome_fields(outcome) | {"finished_at": timezone.now()}
        values = [_value(Step, name, value) for name, value in told.items()]
        execute_without_waiting(_OUTCOME, [*values, self._id, step.position])


def is_ours(change: Change, token: int) -> bool:
    """Whether `change` is being applied under `token`, asked of the database."""
    with connection.cursor() as cursor:
        cursor.execute(_STILL, [_value(Change, "id", change.pk), token])
        return cursor.fetchone() is not None


def outcome_fields(outcome: StepOutcome) -> dict[str, object]:
    """An outcome as its row keeps it: what a host says may hold a secret, or be nothing that can be written down."""
    freed = outcome.freed_bytes if outcome.freed_bytes is None or abs(outcome.freed_bytes) < 2**53 else None
    try:
        evidence = canonical.canonical(LIVE.fields(outcome.evidence))
    except ValueError as error:
        evidence = canonical.canonical({"not_kept": type(error).__name__})
    if len(evidence) > LARGEST_EVIDENCE:
        evidence = canonical.canonical({"not_kept": "too large", "size_bytes": len(evidence)})
    return {
        "outcome": outcome.outcome,
        "detail": kept(outcome.detail),
        "freed_bytes": freed,
        "evidence": evidence.decode(),
    }


def skip_what_was_not_begun(change: Change, why: str) -> None:
    """Every item without an intent is left alone, and says why."""
    unbegun = Step.objects.filter(change=change, intent_at=None, outcome="")
    unbegun.update(outcome=Step.Outcome.SKIPPED, detail=kept(why), finished_at=timezone.now())


def _updated(statement: str, *values: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return bool(cursor.rowcount == 1)


def _value(model: type[Model], name: str, value: object) -> Any:
    """As this database keeps it in that column."""
    field: Any = model._meta.get_field(name)
    return field.get_db_prep_save(value, connection)
