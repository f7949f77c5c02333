"""A database that the evidence store is ahead of was restored, or altered: its approvals may have been used since.

The segments are the witness: after a restore they hold records that the database has forgotten, such as the start of
a run. No approval of that database is used any more, whatever becomes of the segments afterwards (X19).
"""

import logging

from django.utils import timezone

from audits import rebuild, segments
from audits.errors import AuditRefused, Forked
from launchplane.access.people import WORKER
from launchplane.changes import standing
from launchplane.changes.approvals import withdraw
from launchplane.changes.models import Change, StandingApproval
from launchplane.changes.models.change import Status
from launchplane.changes.states import Moved

log = logging.getLogger(__name__)

WHY = (
    "The evidence store holds records that the database does not, or is empty: one of them was restored, replaced or "
    "altered, and this approval may have been used before. Run `manage.py audits verify`, then decide anew."
)


def require_no_restore() -> None:
    """Raises Forked, after which no change is approved any more; AuditRefused if the evidence cannot be reached.

    Not within a transaction: what it withdraws has to stay withdrawn.
    """
    try:
        _require_all_known()
    except Forked:
        withdraw_all()
        raise


def watch() -> int:
    """Every minute: the same, so that no approval outlives a restore. Returns how many were withdrawn."""
    try:
        _require_all_known()
    except Forked:
        return withdraw_all()
    except AuditRefused as refused:
        log.error("%s", refused.sentence)
    return 0


def withdraw_all(why: str = WHY) -> int:
    """Take back every approval that was not used yet, as far as this database knows. Returns how many.

    Standing approvals are suspended: that one was ended after the backup is forgotten too.
    """
    for row in StandingApproval.objects.live(timezone.now()).select_related("host"):
        standing.suspend(row.host, row.kind, why)
    approved = Change.objects.filter(status=Status.APPROVED).select_related("host", "standing")
    return sum(_withdraw(change, why) for change in approved)


def is_anything_approved() -> bool:
    """Whether a change could be applied, or a routine run, by what people decided."""
    live = StandingApproval.objects.live(timezone.now())
    return live.exists() or Change.objects.filter(status=Status.APPROVED).exists()


def _require_all_known() -> None:
    """Raises Forked while there is anything that this database forgot and nobody has answered for; AuditRefused."""
    if rebuild.is_open():
        raise Forked("Records came back from the segments: `manage.py audits accept` answers for them.")
    segments.flush()


def _withdraw(change: Change, why: str) -> bool:
    try:
        withdraw(change, by=WORKER, why=why)
    except Moved:
        return False
    return True
