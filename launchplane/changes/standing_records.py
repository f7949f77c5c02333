"""What the audit is told of a standing approval, refusals included."""

from typing import Any

from launchplane.access.people import Principal
from launchplane.changes import records
from launchplane.changes.models import StandingApproval
from launchplane.hosts.models import Host
from launchplane.problems import Refused


def tell(about: str, row: StandingApproval, *, by: Principal, why: str = "", self_approved: bool = False) -> None:
    """Append the record of one thing that happened to `row`, as the last of the transaction in which it happened.

    `self_approved` says that who decided this had asked for it, beside whether it was so when it was granted.
    """
    payload: dict[str, Any] = {
        "kind": row.kind,
        "bounds_digest": row.bounds_digest,
        "requested_by": row.requested_by_name,
        "expires_at": row.expires_at.isoformat(),
        "why": why or row.reason,
    }
    if self_approved or row.self_approved:
        payload["self_approved"] = True
    records.tell_of_host(f"standing.{about}", row.host, by=by, key=f"standing-{row.pk}", payload=payload)


def deny(row: StandingApproval, problem: Refused, *, by: Principal, wanted: str) -> Refused:
    """Record that a decision about `row` was refused, and give the problem back to be raised."""
    return _deny(f"standing-{row.pk}", row.kind, row.host, problem, by=by, wanted=wanted)


def deny_request(kind: str, host: Host, problem: Refused, *, by: Principal) -> Refused:
    """Record that nobody may ask for this, and give the problem back to be raised."""
    return _deny(f"standing-{kind}-{host.name}", kind, host, problem, by=by, wanted="request")


def _deny(key: str, kind: str, host: Host, problem: Refused, *, by: Principal, wanted: str) -> Refused:
    more = {"kind": kind}
    records.deny_of_host("standing.denied", host, problem, by=by, key=key, wanted=wanted, more=more)
    return problem
