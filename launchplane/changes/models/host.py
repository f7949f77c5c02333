"""What holds a host: a freeze that people ordered, and the lease of whoever changes it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from launchplane.hosts.models import Host

EVERYTHING = "*"


class Freeze(models.Model):
    """Nothing is changed while it is on: on one host, or without a host on all of them. Looked at before each step."""

    host = models.ForeignKey(Host, null=True, on_delete=models.PROTECT, related_name="freezes")
    scope = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=150)
    reason = models.CharField(max_length=600)
    at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    lifted_by_name = models.CharField(max_length=150, blank=True)
    lifted_why = models.CharField(max_length=600, blank=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["scope"], condition=Q(lifted_at=None), name="one_freeze_of_a_scope"),
            models.CheckConstraint(
                condition=Q(host__isnull=True, scope=EVERYTHING) | (Q(host__isnull=False) & ~Q(scope=EVERYTHING)),
                name="freeze_scope_is_its_host",
            ),
        ]

    def __str__(self) -> str:
        return f"freeze of {self.scope}"


class HostLease(models.Model):
    """Who holds a host, for people to see; and the last fencing token. The kernel's lock is what excludes others."""

    host = models.OneToOneField(Host, primary_key=True, on_delete=models.CASCADE, related_name="lease")
    token = models.BigIntegerField(default=0)
    holder = models.CharField(max_length=200, blank=True)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.host_id}: {self.token} {self.holder}"
