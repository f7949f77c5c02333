"""One click stops every change at its next step: on a host, or on all of them. Needs no approval."""

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from launchplane.access.people import Principal
from launchplane.access.rights import may
from launchplane.changes import eyes, records
from launchplane.changes.contracts import Gate
from launchplane.changes.models import Change, Freeze
from launchplane.changes.models.change import Status
from launchplane.changes.models.host import EVERYTHING
from launchplane.hosts.models import Host
from launchplane.problems import Problem, Refused

RIGHT = "hosts.freeze_host"


def freeze(host: Host | None, *, by: Principal, reason: str) -> Freeze:
    """Stop changes of `host`, or of all hosts. One that is on already is given again. Raises Refused, recorded."""
    reason = _allowed(host, by, reason, wanted="freeze")
    row = Freeze(host=host, scope=_scope(host), by=by.user, by_name=by.name, reason=reason[:600], at=timezone.now())
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            records.tell_of_host("freeze.on", host, by=by, key=_scope(host), payload={"reason": reason})
    except IntegrityError:
        return Freeze.objects.get(host=host, lifted_at=None)
    return row


def lift(host: Host | None, *, by: Principal, reason: str) -> Freeze:
    """Let changes of `host`, or of all hosts, go on. Raises Refused, recorded, or Problem `not_frozen`."""
    reason = _allowed(host, by, reason, wanted="lift")
    with transaction.atomic():
        live = Freeze.objects.filter(host=host, lifted_at=None)
        row = live.first()
        lifted = live.update(lifted_at=timezone.now(), lifted_by_name=by.name, lifted_why=reason[:600])
        if row is None or not lifted:
            raise Problem("not_frozen", f"{host.name if host else 'Everything'} is not frozen.")
        _try_now(host)
        records.tell_of_host("freeze.off", host, by=by, key=_scope(host), payload={"reason": reason})
    row.refresh_from_db()
    return row


def _try_now(host: Host | None) -> None:
    """What waited is due with the next tick, and does not go on saying that it waits for what is over."""
    waiting = Change.objects.filter(status=Status.APPROVED, next_try_at__isnull=False)
    of_scope = waiting if host is None else waiting.filter(host=host)
    of_scope.update(next_try_at=timezone.now())


def frozen(host: Host) -> Freeze | None:
    """The freeze that holds `host` now, read from the database each time."""
    rows = Freeze.objects.filter(Q(host=None) | Q(host=host), lifted_at=None)
    # asked before each step, and nearly always there is none: without a row to make that takes half the time
    return rows.first() if rows.exists() else None


def gate(host: Host) -> Gate:
    """The gate `freeze`, for kinds that show all their gates."""
    row = frozen(host)
    if row is None:
        return Gate(name="freeze", state="open", reason="Nothing is frozen.", evidence={})
    evidence = {"by": row.by_name, "at": row.at.isoformat(), "scope": row.scope}
    return Gate(name="freeze", state="closed", reason=sentence(row), evidence=evidence)


def sentence(row: Freeze) -> str:
    """Who froze what, and why."""
    what = "everything" if row.scope == EVERYTHING else row.scope
    return f"{row.by_name} froze {what}: {row.reason}"[:600]


def _scope(host: Host | None) -> str:
    return host.name if host else EVERYTHING


def _allowed(host: Host | None, by: Principal, reason: str, *, wanted: str) -> str:
    """A person needs the right, for all hosts where all are meant; a shell has it by being there."""
    user = by.user
    try:
        if user is not None and not (may(user, RIGHT, host) if host else user.has_perm(RIGHT)):
            raise Refused("not_permitted", f"You may not freeze {host.name if host else 'everything'}.")
        return eyes.require_reason(reason)
    except Refused as problem:
        denied = records.deny_of_host("freeze.denied", host, problem, by=by, key=_scope(host), wanted=wanted)
        raise denied from problem
