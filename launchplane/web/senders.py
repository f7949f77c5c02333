"""Who handed in evidence lately: the identities behind the last records that came from outside, by one query a kind."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from audits import outside
from audits.models import AuditRecord

LOOKED_AT = 2000


@dataclass(slots=True)
class Sender:
    """One identity and one kind: how many of the records looked at are its, and the last of them."""

    actor_id: str
    actor_name: str
    kind: str
    count: int
    last_seq: int
    last_at: datetime


def senders(among: QuerySet[AuditRecord]) -> list[Sender]:
    """The senders of the last LOOKED_AT records of each kind, whoever was heard last first: bounded, however many."""
    found: dict[tuple[str, str], Sender] = {}
    for kind in (outside.HYGIENE, outside.LANE):
        rows = among.filter(kind=kind).order_by("-seq").values_list("actor_id", "actor_name", "seq", "at")
        for actor_id, name, seq, at in rows[:LOOKED_AT]:
            sender = found.setdefault((actor_id, kind), Sender(actor_id, name, kind, 0, seq, at))
            sender.count += 1
    return sorted(found.values(), key=lambda sender: -sender.last_seq)
