"""A wish to have something planned, from the click to the change that came of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from launchplane.changes.models.change import Change
from launchplane.hosts.models import Host


class PlanRun(models.Model):
    """One planning on the worker queue: who asked for what, how far it is, and the change that it made.

    `asked` is the canonical text of what the kind's planner is given; `asked_digest` is over it. `identity` names who
    asked, `asked_by` is the account behind that, if there is one: a trusted workflow has none.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "waits for a worker"
        RUNNING = "running", "being planned"
        DONE = "done", "planned"
        FAILED = "failed", "not planned"
        LOST = "lost", "lost: its worker died"

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="plan_runs")
    kind = models.CharField(max_length=60)
    asked = models.TextField()
    asked_digest = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    identity = models.CharField(max_length=100)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    asked_by_name = models.CharField(max_length=200)
    responsible = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    source = models.CharField(max_length=20)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    machine = models.CharField(max_length=100, blank=True)
    code = models.CharField(max_length=40, blank=True)
    sentence = models.CharField(max_length=600, blank=True)
    change = models.ForeignKey(Change, null=True, on_delete=models.PROTECT, related_name="+")
    idempotency_key = models.CharField(max_length=200, null=True)  # noqa: DJ001 - unique, so none is null

    class Meta:
        default_permissions = ("view",)
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="done") | Q(change__isnull=False), name="plan_run_done_has_its_change"
            ),
            # a double click, or the same asked for in two windows, is planned once
            models.UniqueConstraint(
                fields=["host", "kind", "asked_digest", "identity"],
                condition=Q(status__in=("queued", "running")),
                name="one_open_plan_run_of_the_same",
            ),
            # what failed has used up nothing: its key may be used again
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=Q(status__in=("queued", "running", "done")),
                name="plan_run_key_once",
            ),
        ]
        indexes = [
            # read by the host's page (the last ones) and by the forgetting of old ones
            models.Index(fields=["host", "-asked_at"]),
            # read by the tick every minute: what may have lost its worker
            models.Index(fields=["status"], condition=Q(status__in=("queued", "running")), name="plan_run_open"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.host_id}: {self.status}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a worker, or for that worker to end."""
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)
