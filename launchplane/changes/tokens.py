"""Fencing tokens that the records name: a host that is entered anew may have seen them, and obeys no lower one."""

import json

from audits import outside
from audits.branch import ACCEPTED
from audits.models import AuditRecord


def on_record(host: str) -> int:
    """The highest token that was given out for the host of that name, as far as the records know; 0 if none was.

    They only rise, so it is in the newest record that has one, or in what somebody accepted after a restore.
    """
    begun = AuditRecord.objects.filter(host=host, status="planned", payload__contains='"about":"applying"')
    newest = begun.exclude(kind__in=outside.KINDS).order_by("-seq").values_list("payload", flat=True).first()
    accepted = AuditRecord.objects.filter(kind=ACCEPTED).values_list("payload", flat=True)
    return max(
        _whole(json.loads(newest).get("fencing_token")) if newest is not None else 0,
        *(_whole(json.loads(payload)["fencing_tokens"].get(host)) for payload in accepted),
        0,
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
