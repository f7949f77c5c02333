"""A database that forgets: what comes back from a backup, as far as the tables of the chain go."""

from django.db import connection

from audits import triggers
from audits.models import AuditRecord, ChainHead


def rows() -> list[tuple[object, ...]]:
    """Every record of the database as its columns are, in order."""
    return list(AuditRecord.objects.order_by("seq").values_list())


def forget_behind(seq: int) -> None:
    """The chain as it was when record `seq` was its last; 0 is a database without any."""
    triggers.take_down(connection)
    last = AuditRecord.objects.filter(seq=seq).values_list("hash", flat=True).first()
    AuditRecord.objects.filter(seq__gt=seq).delete()
    if last is None:
        ChainHead.objects.all().delete()
    else:
        ChainHead.objects.update(seq=seq, hash=last)
    triggers.ensure(using="default")
