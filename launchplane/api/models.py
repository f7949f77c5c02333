"""Which evidence was taken in under which Idempotency-Key, so that it is taken in once."""

from django.db import models


class TakenIn(models.Model):
    """One record of evidence from outside. What its sender was told follows from the record, which never changes.

    `scope` is a hash of who sent it, where to, and under which Idempotency-Key; `fingerprint` a keyed hash of what was
    sent. `place` says which record of its run it is: a run has one planned record, and one that ends it.
    """

    class Place(models.TextChoices):
        PLANNED = "planned"
        ENDED = "ended"

    scope = models.CharField(max_length=64, unique=True)
    fingerprint = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    place = models.CharField(max_length=10, choices=Place)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["kind", "key", "place"], name="taken_in_once")]
        # read when rows that no longer count are swept
        indexes = [models.Index(fields=["at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.place}"
