"""A plan and what becomes of it, item by item."""

from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from launchplane.changes.contracts import Plan
from launchplane.hosts.models import Host

if TYPE_CHECKING:
    from launchplane.changes.kinds import ChangeKind


class Status(models.TextChoices):
    BLOCKED = "blocked", "blocked"
    PLANNED = "planned", "planned"
    AWAITING_APPROVAL = "awaiting_approval", "awaiting approval"
    APPROVED = "approved", "approved"
    APPLYING = "applying", "applying"
    IN_DOUBT = "in_doubt", "in doubt"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CLOSED = "closed", "closed"


class Why(models.TextChoices):
    """Why a change was closed without having been applied."""

    STALE = "stale", "stale"
    EXPIRED = "expired", "expired"
    REJECTED = "rejected", "rejected"
    CANCELLED = "cancelled", "cancelled"
    SUPERSEDED = "superseded", "superseded"
    RESTORED = "restored", "ended before a restore"


OPEN = (Status.AWAITING_APPROVAL, Status.APPROVED, Status.APPLYING, Status.IN_DOUBT)
HOLDING = (Status.APPLYING, Status.IN_DOUBT)


class ChangeQuerySet(models.QuerySet["Change"]):
    def open(self) -> "ChangeQuerySet":
        """Asked for, and not at an end yet."""
        return self.filter(status__in=OPEN)

    def holding(self, host: Host) -> "ChangeQuerySet":
        """What keeps any other change from this host: being applied, or in doubt."""
        return self.filter(host=host, status__in=HOLDING)

    def drafts_like(self, change: "Change") -> "ChangeQuerySet":
        """Other plans for the same that nobody asked for."""
        same = self.filter(host=change.host_id, kind=change.kind, subject=change.subject)
        return same.filter(status__in=(Status.BLOCKED, Status.PLANNED)).exclude(pk=change.pk)


class Change(models.Model):
    """`plan` is the canonical text that `digest` is over; the columns beside it are copies to search by."""

    Status = Status
    Why = Why

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    kind = models.CharField(max_length=60)
    host = models.ForeignKey(Host, on_delete=models.PROTECT, related_name="changes")
    subject = models.CharField(max_length=200, blank=True)
    plan = models.TextField()
    digest = models.CharField(max_length=64)
    status = models.CharField(max_length=20, choices=Status)
    why_closed = models.CharField(max_length=12, choices=Why, blank=True)
    sentence = models.CharField(max_length=600, blank=True)

    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="requested_changes"
    )
    requester_name = models.CharField(max_length=200)
    responsible = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="answered_changes")
    reason = models.TextField(blank=True)
    idempotency_key = models.CharField(max_length=200, null=True, unique=True)  # noqa: DJ001 - unique, so none is null
    asked_digest = models.CharField(max_length=64, blank=True)
    apply_key = models.CharField(max_length=200, null=True, unique=True)  # noqa: DJ001 - unique, so none is null
    apply_at_once = models.BooleanField(default=True)
    standing = models.ForeignKey("StandingApproval", null=True, on_delete=models.PROTECT, related_name="changes")

    planned_at = models.DateTimeField()
    requested_at = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    fencing_token = models.BigIntegerField(null=True)
    machine = models.CharField(max_length=100, blank=True)
    gates = models.TextField(default="[]")
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    predicted_bytes = models.BigIntegerField(null=True)
    actual_bytes = models.BigIntegerField(null=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        ordering = ["-planned_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="change_status_is_known"),
            models.CheckConstraint(
                condition=(Q(status=Status.CLOSED) & Q(why_closed__in=Why.values))
                | (~Q(status=Status.CLOSED) & Q(why_closed="")),
                name="change_closed_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=(Status.AWAITING_APPROVAL, Status.APPROVED)) | Q(deadline__isnull=False),
                name="change_waits_until_a_deadline",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=HOLDING) | Q(fencing_token__isnull=False), name="change_applied_has_a_token"
            ),
            models.UniqueConstraint(
                fields=["host"], condition=Q(status__in=HOLDING), name="one_change_of_a_host_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["host", "kind"],
                condition=Q(standing__isnull=False) & Q(status__in=(Status.APPROVED, *HOLDING)),
                name="one_routine_change_of_a_kind_at_a_time",
            ),
        ]
        indexes = [
            # read by the host page and by the search for older plans of the same
            models.Index(fields=["host", "-planned_at"]),
            # read by the lists of all hosts' changes, page by page
            models.Index(fields=["-planned_at", "-id"], name="change_by_time"),
            # read by the tick every minute: what is due, expired or held by a worker that is gone
            models.Index(fields=["status", "next_try_at"], condition=Q(status__in=OPEN), name="change_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.host_id}: {self.status}"

    def planned(self) -> Plan:
        """The plan, read from its text."""
        return Plan.model_validate_json(self.plan)

    def change_kind(self) -> "ChangeKind | None":
        """The kind, if its domain is installed."""
        from launchplane.changes.kinds import kind_named

        return kind_named(self.kind)


class Step(models.Model):
    """One item. The intent is stored before anything is done to it, the outcome right after."""

    class Outcome(models.TextChoices):
        DONE = "done", "done"
        GONE = "gone", "already gone"
        SKIPPED = "skipped", "skipped"
        RACED = "raced", "somebody was faster"
        FAILED = "failed", "failed"
        UNKNOWN = "unknown", "not known"

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="steps")
    position = models.PositiveIntegerField()
    verb = models.CharField(max_length=60)
    target = models.CharField(max_length=400)
    intent_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=Outcome, blank=True)
    detail = models.CharField(max_length=600, blank=True)
    freed_bytes = models.BigIntegerField(null=True)
    evidence = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["change", "position"]
        constraints = [
            models.UniqueConstraint(fields=["change", "position"], name="step_once"),
            models.CheckConstraint(
                condition=Q(outcome="", finished_at__isnull=True) | (~Q(outcome="") & Q(finished_at__isnull=False)),
                name="step_outcome_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=("", "skipped")) | Q(intent_at__isnull=False), name="step_acts_after_its_intent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.verb} {self.target}: {self.outcome or 'open'}"
