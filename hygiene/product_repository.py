"""A repository whose workflows and scripts use our hosts, and what the linter last found in it (H60, H61)."""

import re

from django.core.exceptions import ValidationError
from django.db import models

from launchplane.hosts.models import Host

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*){0,4}", re.ASCII)


def validate_repository(value: str) -> None:
    """`owner/repository`, or another short name of that form."""
    if not NAME.fullmatch(value) or ".." in value:
        raise ValidationError(f"{value[:80]!r} is no name of a repository: write it like acme/website")


class ProductRepository(models.Model):
    """What a repository is called, which hosts its jobs use, and its last lint; before the first one that is empty."""

    name = models.CharField(max_length=200, unique=True, validators=[validate_repository])
    hosts = models.ManyToManyField(
        Host, blank=True, related_name="product_repositories", help_text="The hosts that its jobs run on."
    )
    linted_at = models.DateTimeField(null=True, editable=False)
    linted_by = models.CharField(max_length=150, blank=True, editable=False)
    source = models.CharField(max_length=20, blank=True, editable=False, help_text="Through which door it came.")
    revision = models.CharField(max_length=100, blank=True, editable=False)
    findings_count = models.PositiveIntegerField(null=True, editable=False)
    unread_count = models.PositiveIntegerField(null=True, editable=False)
    # canonical text, bounded: the first findings, what was allowed, what was not looked at
    result = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name_plural = "product repositories"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(linted_at=None, findings_count=None, unread_count=None, result="")
                | (
                    models.Q(linted_at__isnull=False, findings_count__isnull=False, unread_count__isnull=False)
                    & ~models.Q(result="")
                ),
                name="product_repository_linted_or_not",
            ),
        ]

    def __str__(self) -> str:
        return self.name
