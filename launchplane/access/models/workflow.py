"""Workflows whose OIDC tokens are believed, the keys of their issuer, and the tokens that were used."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

from launchplane.access.models.accounts import User
from launchplane.access.models.api_token import validate_actions

# the most that a token is compared with: 64 bits with a sign, as databases hold it
LARGEST_ID = 2**63 - 1
# they run for whoever sends a pull request, or after such a run: the code may be a stranger's
NEVER = ("pull_request", "workflow_run")
in_one_line = RegexValidator(r"\A[^\x00-\x20\x7f]*\Z", "One line, without blanks.")
of_an_id = [MinValueValidator(1), MaxValueValidator(LARGEST_ID)]


def is_never(event: str) -> bool:
    """Whether a run for this event is refused whatever a row says: `pull_request`, all like it, and `workflow_run`."""
    return event.startswith(NEVER)


def validate_events(value: object) -> None:
    """Raises ValidationError for anything but names of events, at least one, that may be trusted at all."""
    if not isinstance(value, list) or not value:
        raise ValidationError("Name at least one event, such as push.")
    for event in value:
        if not re.fullmatch(r"[a-z_]{1,40}", str(event)):
            raise ValidationError("Events are written like push, schedule or workflow_dispatch.")
        if is_never(event):
            raise ValidationError(f"{event} is never trusted: it may run the code of strangers.")


def usual_events() -> list[str]:
    """Those that run what is in the repository."""
    return ["push", "schedule", "workflow_dispatch"]


class TrustedWorkflow(models.Model):
    """Which runs of which repository may do what. Repository and owner are numbers: names can be taken by others.

    An empty condition is none. `repository` and `last_…` are what was seen, and decide nothing.
    """

    issuer = models.CharField(max_length=200, editable=False)
    audience = models.CharField(max_length=200, editable=False)
    repository_id = models.PositiveBigIntegerField("repository id", validators=of_an_id)
    owner_id = models.PositiveBigIntegerField("owner id", validators=of_an_id)
    repository = models.CharField(
        max_length=200,
        blank=True,
        validators=[in_one_line],
        help_text="Its name, such as octo/app. For people: it decides nothing, and follows what GitHub says.",
    )
    workflow_ref = models.CharField(
        "workflow",
        max_length=300,
        blank=True,
        validators=[in_one_line],
        help_text="The file that the job is written in, exactly as in the claim job_workflow_ref: "
        "octo/app/.github/workflows/report.yml@refs/heads/main. Empty: any.",
    )
    ref = models.CharField(
        max_length=300,
        blank=True,
        validators=[in_one_line],
        help_text="Exactly as in the claim ref: refs/heads/main. Empty: any branch, so anybody who may push one.",
    )
    environment = models.CharField(
        max_length=255,
        blank=True,
        help_text="The environment of the job, whose rules GitHub keeps. Empty: any, or none.",
    )
    events = models.JSONField(default=usual_events, validators=[validate_events])
    actions = models.JSONField(default=list, validators=[validate_actions])
    all_hosts = models.BooleanField(default=False, help_text="All hosts, also those that are added later.")
    hosts = models.ManyToManyField("hosts.Host", blank=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now, editable=False)
    # they answer for what it asks for, and so approve none of it
    added_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    added_by_name = models.CharField("added by", max_length=150, editable=False)
    widened_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    widened_by_name = models.CharField("last widened by", max_length=150, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.CharField(max_length=60, blank=True, editable=False)
    last_run = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        ordering = ["repository", "pk"]
        # read for each token of a workflow
        indexes = [models.Index(fields=["repository_id", "owner_id"])]

    def __str__(self) -> str:
        return f"{self.repository or f'repository {self.repository_id}'} ({self.pk or 'new'})"


class IssuerKeys(models.Model):
    """The keys of an issuer as they were fetched last. One row for all processes: so is the limit on fetching."""

    url = models.CharField(max_length=300, unique=True)
    document = models.TextField(blank=True)
    fetched_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"keys of {self.url}"


class SpentToken(models.Model):
    """A workflow's token that was used, until it is over by itself: no token lets anybody in twice."""

    digest = models.CharField(max_length=64, unique=True)
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()
        # read when those that are over are swept
        indexes = [models.Index(fields=["until"])]

    def __str__(self) -> str:
        return f"spent until {self.until:%Y-%m-%d %H:%M:%S}"
