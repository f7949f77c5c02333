"""What people decided: about one plan, or about a routine within bounds."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from launchplane.changes.models.change import Change
from launchplane.hosts.models import Host


class Approval(models.Model):
    """One person's yes to exactly one digest. Consumed by the claim; never carried over.

    `requester_id` is copied from the change, since a constraint can't look through a foreign key.
    """

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="approvals")
    digest = models.CharField(max_length=64)
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="approvals")
    approver_name = models.CharField(max_length=150)
    requester_id = models.BigIntegerField(null=True)
    self_approved = models.BooleanField(default=False)
    reason = models.TextField()
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    consumed_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by_name = models.CharField(max_length=150, blank=True)
    revoked_why = models.CharField(max_length=600, blank=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["-granted_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(requester_id__isnull=True) | ~Q(approver_id=F("requester_id")) | Q(self_approved=True),
                name="approval_is_another_person_s",
            ),
            models.UniqueConstraint(fields=["change"], condition=Q(revoked_at=None), name="one_live_approval"),
            models.CheckConstraint(
                condition=Q(consumed_at__isnull=True) | Q(revoked_at__isnull=True), name="approval_used_or_revoked"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.approver_name} on {self.change_id}"


class StandingQuerySet(models.QuerySet["StandingApproval"]):
    def live(self, now: datetime) -> "StandingQuerySet":
        """Granted, in force, and neither ended nor suspended."""
        granted = self.filter(granted_at__isnull=False, ended_at=None, suspended_at=None)
        return granted.filter(expires_at__gt=now)


class StandingApproval(models.Model):
    """Lets a routine kind run on one host, within the bounds that were in force when it was asked for."""

    class Ended(models.TextChoices):
        REJECTED = "rejected", "rejected"
        REVOKED = "revoked", "revoked"
        VOIDED = "voided", "voided: a bound was loosened"
        REPLACED = "replaced", "replaced by a newer one"

    host = models.ForeignKey(Host, on_delete=models.PROTECT, related_name="standing_approvals")
    kind = models.CharField(max_length=60)
    bounds = models.TextField()
    bounds_digest = models.CharField(max_length=64)
    reason = models.TextField()
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_by_name = models.CharField(max_length=150)
    requested_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    items_per_run = models.PositiveIntegerField()
    items_per_day = models.PositiveIntegerField()
    bytes_per_run = models.BigIntegerField()
    bytes_per_day = models.BigIntegerField()
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    granted_by_name = models.CharField(max_length=150, blank=True)
    granted_at = models.DateTimeField(null=True)
    grant_reason = models.TextField(blank=True)
    self_approved = models.BooleanField(default=False)
    suspended_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended = models.CharField(max_length=8, choices=Ended, blank=True)
    sentence = models.CharField(max_length=600, blank=True)
    used_at = models.DateTimeField(null=True)

    objects = StandingQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(granted_by__isnull=True) | ~Q(granted_by=F("requested_by")) | Q(self_approved=True),
                name="standing_is_granted_by_another",
            ),
            models.CheckConstraint(
                condition=Q(granted_at__isnull=True, granted_by__isnull=True)
                | Q(granted_at__isnull=False, granted_by__isnull=False),
                name="standing_grant_has_a_person",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended="") | (Q(ended_at__isnull=False) & ~Q(ended="")),
                name="standing_end_says_why",
            ),
            models.CheckConstraint(
                condition=Q(bytes_per_run__gte=0) & Q(bytes_per_day__gte=0), name="standing_caps_are_not_negative"
            ),
            models.UniqueConstraint(
                fields=["host", "kind"],
                condition=Q(granted_at__isnull=False, ended_at=None),
                name="one_standing_approval_of_a_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.host_id}"
