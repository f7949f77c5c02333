"""Audit records and the head of their chain. Triggers keep both as they are; `audits.record` alone writes them."""

from datetime import datetime
from typing import Any, cast

from django.db import models

from audits.contracts import Actor, Record, Status

LONGEST_TEXT = 200
LARGEST_SEQ = 2**63 - 1


class AuditRecord(models.Model):
    """One thing that was about to be done, was done, failed or was skipped."""

    class Status(models.TextChoices):
        PLANNED = "planned"
        COMPLETED = "completed"
        FAILED = "failed"
        SKIPPED = "skipped"

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=LONGEST_TEXT)
    key = models.CharField(max_length=LONGEST_TEXT)
    host = models.CharField(max_length=LONGEST_TEXT, blank=True)
    lane = models.CharField(max_length=LONGEST_TEXT, blank=True)
    actor_id = models.CharField(max_length=LONGEST_TEXT)
    actor_name = models.CharField(max_length=LONGEST_TEXT)
    responsible = models.JSONField(default=list, blank=True)
    source = models.CharField(max_length=LONGEST_TEXT)
    status = models.CharField(max_length=20, choices=Status.choices)
    payload = models.TextField()
    payload_hash = models.CharField(max_length=64)
    prev_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["seq"]
        default_permissions = ("view",)
        indexes = [
            # everything about one change, or one run
            models.Index(fields=["key", "seq"], name="audit_by_key"),
            # a host's page
            models.Index(fields=["host", "-seq"], name="audit_by_host"),
            # evidence of one kind, newest first
            models.Index(fields=["kind", "-seq"], name="audit_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.kind} {self.status}"

    def as_record(self) -> Record:
        """The record as it is hashed and exported. Raises ValueError or TypeError if the row cannot be one."""
        return record_of(self)


def record_of(row: Any) -> Record:
    """`AuditRecord.as_record` of anything with its fields: whoever reads them all does without making models."""
    return Record(
        seq=row.seq,
        at=moment(row.at),
        kind=row.kind,
        key=row.key,
        host=row.host,
        lane=row.lane,
        actor=Actor(id=row.actor_id, name=row.actor_name, responsible=tuple(row.responsible)),
        source=row.source,
        status=cast(Status, str(row.status)),
        payload=row.payload,
        payload_hash=row.payload_hash,
        prev_hash=row.prev_hash,
        hash=row.hash,
    )


def row_of(record: Record) -> AuditRecord:
    """A record as a row that says the same, byte for byte. Raises ValueError for one that no row can hold."""
    row = AuditRecord(
        seq=record.seq,
        at=datetime.fromisoformat(record.at),
        kind=record.kind,
        key=record.key,
        host=record.host,
        lane=record.lane,
        actor_id=record.actor.id,
        actor_name=record.actor.name,
        responsible=list(record.actor.responsible),
        source=record.source,
        status=record.status,
        payload=record.payload,
        payload_hash=record.payload_hash,
        prev_hash=record.prev_hash,
        hash=record.hash,
    )
    if record_of(row) != record or record.seq > LARGEST_SEQ:
        raise ValueError("its time or its number is in another form")
    texts = (row.kind, row.key, row.host, row.lane, row.actor_id, row.actor_name, row.source)
    if any(len(text) > LONGEST_TEXT for text in texts):
        raise ValueError(f"a field is longer than {LONGEST_TEXT} characters")
    if any("\0" in text for text in (*texts, *row.responsible, row.payload)):
        raise ValueError("it holds a character that no database takes")
    return row


class EvidenceStore(models.Model):
    """The one row that says that segments were begun: from then on a folder without any was lost, or is another."""

    THE_ONE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    begun_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"begun at {moment(self.begun_at)}"


class Restoration(models.Model):
    """The one row that is there while records that came back from the evidence store wait for somebody to answer.

    The database had the records up to `own_seq` by itself; those up to `last_seq` came back.
    """

    THE_ONE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    begun_at = models.DateTimeField()
    own_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.own_seq} to {self.last_seq}"


class ChainHead(models.Model):
    """The one row that says where the chain ends; who appends locks it."""

    THE_ONE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.seq} {self.hash}"


def moment(at: datetime) -> str:
    """A time in UTC as records say it: 2026-01-08T10:30:00.000000Z."""
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
