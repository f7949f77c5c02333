"""What people are told of a change, and whether that reached them."""

from django.db import models

from launchplane.changes.models.change import Change


class Notification(models.Model):
    """One event of one change. Written with the event itself; sent by a worker afterwards."""

    class Event(models.TextChoices):
        REQUESTED = "requested", "was asked for"
        APPROVED = "approved", "was approved"
        REJECTED = "rejected", "was rejected"
        FAILED = "failed", "failed"
        IN_DOUBT = "in_doubt", "is in doubt"

    change = models.ForeignKey(Change, on_delete=models.CASCADE, related_name="notifications")
    event = models.CharField(max_length=10, choices=Event)
    sentence = models.CharField(max_length=600, blank=True)
    at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    told = models.PositiveIntegerField(default=0)
    failed = models.CharField(max_length=600, blank=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.change_id} {self.event}"
