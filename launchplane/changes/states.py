"""The one way a change gets from one status to another: compare-and-swap, together with its audit record."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audits.kept import kept
from launchplane.access.people import Principal
from launchplane.changes import records
from launchplane.changes.models.change import Change, Status, Why
from launchplane.problems import Refused
from launchplane.schedule.models import Schedule

# for its schedule a routine run that ended like this is one that somebody should look at
NOT_WELL = frozenset({Status.FAILED, Status.IN_DOUBT, Why.EXPIRED, Why.CANCELLED})

# from the next three straight to in doubt: it was begun, and a restored database forgot that
NEXT: Mapping[Status, frozenset[Status]] = {
    Status.BLOCKED: frozenset({Status.CLOSED}),
    Status.PLANNED: frozenset({Status.AWAITING_APPROVAL, Status.CLOSED, Status.IN_DOUBT}),
    Status.AWAITING_APPROVAL: frozenset({Status.APPROVED, Status.CLOSED, Status.IN_DOUBT}),
    # back to waiting when its approval is revoked or does not hold any more
    Status.APPROVED: frozenset({Status.APPLYING, Status.AWAITING_APPROVAL, Status.CLOSED, Status.IN_DOUBT}),
    # back to approved when a gate was closed before anything was done
    Status.APPLYING: frozenset(
        {Status.COMPLETED, Status.FAILED, Status.CLOSED, Status.APPROVED, Status.IN_DOUBT, Status.APPLYING}
    ),
    Status.IN_DOUBT: frozenset({Status.COMPLETED, Status.FAILED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CLOSED: frozenset(),
}


class Moved(Refused):
    """The change is not any more what it was thought to be: somebody else was first."""


@contextmanager
def moving(
    change: Change,
    new: Status,
    *,
    by: Principal,
    told: records.Telling,
    sentence: str,
    only_if: Q | None = None,
    **fields: Any,
) -> Iterator[None]:
    """Move `change` from the status that it was read with to `new`; commits with the body, or nothing does.

    `sentence` says how the change stands now; a routine run's stands beside its schedule too, whatever became of it.
    Raises Moved if another was first or `only_if` does not hold any more, AuditRefused if it could not be recorded.
    """
    old = Status(change.status)
    sentence = kept(sentence)
    if new not in NEXT[old]:
        raise ValueError(f"no change goes from {old} to {new}")
    with transaction.atomic():
        mine = Change.objects.filter(only_if or Q(), pk=change.pk, status=old)
        if mine.update(status=new, sentence=sentence, **fields) != 1:
            raise Moved(
                "not_any_more", f"This change is not {Status(old).label} any more, or not as it was: look at it again."
            )
        tell_the_schedule(change, sentence, ok=not {new, fields.get("why_closed")} & NOT_WELL)
        # from here on the body may append records too: each waits for the head, and no row is taken after it
        yield
        records.tell(change, told, by=by, moved=(old, new))
    change.refresh_from_db()


def tell_the_schedule(change: Change, sentence: str, *, ok: bool) -> None:
    """How a routine run stands, for whoever looks at its schedule; nothing for a change that people asked for."""
    if change.standing_id is not None:
        row = Schedule.objects.filter(host=change.host_id, job=change.kind)
        row.update(last_at=timezone.now(), last_ok=ok, last_sentence=sentence)
