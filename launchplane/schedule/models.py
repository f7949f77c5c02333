"""When what is due on which host, and which queue was last heard of."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from launchplane.hosts.models import Host
from launchplane.schedule.cron import BadCron, next_time
from launchplane.schedule.jobs import find


def validate_cron(value: str) -> None:
    """A five-field cron expression in UTC."""
    try:
        next_time(value, timezone.now())
    except BadCron as bad:
        raise ValidationError(str(bad)) from bad


class Schedule(models.Model):
    """One job on one host. The pair is unique: a host has exactly one owner of each job's schedule (H58)."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="schedules")
    job = models.CharField(max_length=60)
    cron = models.CharField(max_length=100, validators=[validate_cron], help_text="Five fields, UTC: */5 * * * *")
    enabled = models.BooleanField(default=True)
    # the tick reads this; a null is never due
    next_due_at = models.DateTimeField(null=True, editable=False, db_index=True)
    last_at = models.DateTimeField(null=True, editable=False)
    last_ok = models.BooleanField(null=True, editable=False)
    last_sentence = models.CharField(max_length=600, blank=True, editable=False)

    class Meta:
        ordering = ["host", "job"]
        constraints = [models.UniqueConstraint(fields=["host", "job"], name="schedule_once")]

    def __str__(self) -> str:
        return f"{self.job} on {self.host}"

    def save(self, *args: object, **kwargs: object) -> None:
        """Save, with the next time that the expression names; a disabled schedule has none."""
        self.next_due_at = next_time(self.cron, timezone.now()) if self.enabled else None
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    def clean(self) -> None:
        """What its job holds back on this host cannot be enabled."""
        job = find(self.job)
        if self.enabled and job is not None and (why := job.held_back(self.host)) is not None:
            raise ValidationError({"enabled": f"It cannot be enabled: {why}"})


class Heartbeat(models.Model):
    """When a worker queue last did something."""

    queue = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.queue} at {self.at:%Y-%m-%d %H:%M:%S}"
