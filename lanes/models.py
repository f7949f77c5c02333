"""Lanes as operators want them, where they may be, and what was seen of each."""

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from lanes import names
from lanes.contracts import Desired, Grant
from launchplane.access.models import User
from launchplane.access.rights import visible
from launchplane.hosts.models import Host
from launchplane.hosts.validators import validate_slug

MOST_LABELS = 20  # launchplane-runner takes no more


def validate_scope(value: str) -> None:
    """`owner/repository`, or `owner` for an organization's runners."""
    if not names.is_scope(value):
        raise ValidationError(f"{value[:80]!r} is neither owner/repository nor an organization")


def validate_root(value: str) -> None:
    """An absolute folder in its one spelling (M31)."""
    if not names.is_plain_path(value):
        raise ValidationError(f"{value[:80]!r} is no plain absolute folder, such as /srv/runners")


def validate_service_user(value: str) -> None:
    """An ordinary account's name, and never root (M47)."""
    if not names.is_service_user(value):
        raise ValidationError(f"{value[:80]!r} is no ordinary user, such as lane-website; root is none")


def validate_labels(value: object) -> None:
    """A list of labels, none of them twice in whatever case."""
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        raise ValidationError("must be a list of labels")
    if not 0 < len(value) <= MOST_LABELS:
        raise ValidationError(f"a lane has 1 to {MOST_LABELS} labels")
    for label in value:
        if not names.is_label(label):
            raise ValidationError(f"{label[:80]!r} is no label: 1 to 64 of letters, digits, '.', '_' and '-'")
    if len({names.folded(label) for label in value}) < len(value):
        raise ValidationError("a label is named twice; upper and lower case make no difference")


class LaneQuerySet(models.QuerySet["Lane"]):
    def seen_by(self, user: User | AnonymousUser) -> "LaneQuerySet":
        """Those of the hosts that `user` may see: any other is like one that does not exist."""
        return self.filter(host__in=visible(user, "hosts.view_host", Host.objects.all()).order_by())

    def called(self, name: str) -> "LaneQuerySet":
        """The lane of that name or none; what is no name is not even asked for (PostgreSQL refuses a NUL)."""
        return self.filter(name=name) if names.is_lane_name(name) else self.none()


class Lane(models.Model):
    """A runner as it is wanted (M10). Its folder and its unit follow from its name, so no field holds them."""

    class VersionPolicy(models.TextChoices):
        UPDATE = "update", "it updates itself"
        FIXED = "fixed", "it stays as it was installed"

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="lanes")
    name = models.CharField(max_length=64, validators=[validate_slug], help_text="One name, once over all hosts.")
    scope = models.CharField(
        max_length=140,
        validators=[validate_scope],
        help_text="owner/repository, or an organization: whose jobs it takes.",
    )
    registration_root = models.CharField(
        "runner root",
        max_length=names.LONGEST_PATH,
        validators=[validate_root],
        help_text="One of the host's runner roots. The lane's folder is the one of its name in there.",
    )
    service_user = models.CharField(
        max_length=32, validators=[validate_service_user], help_text="Of the host, and of no other lane."
    )
    labels = models.JSONField(validators=[validate_labels], help_text="What it is good for, and whose it is.")
    runner_version_policy = models.CharField(
        "runner version", max_length=8, choices=VersionPolicy, default=VersionPolicy.UPDATE
    )
    managed = models.BooleanField(default=True, help_text="Without it nothing is planned or changed.")
    # GitHub's id of the runner that we registered: written by whoever carries out a change, by nobody else (X11)
    agent_id = models.BigIntegerField(null=True, blank=True, editable=False)
    added_at = models.DateTimeField(auto_now_add=True)

    objects = LaneQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            # M28, M36: the planner judges by this, and GitHub makes no difference either
            models.UniqueConstraint(
                Lower("name"), name="lane_name_once", violation_error_message="There is a lane of that name."
            ),
            models.UniqueConstraint(
                fields=["host", "service_user"],
                name="lane_user_once",
                violation_error_message="Another lane of this host has that service user.",
            ),
            models.CheckConstraint(condition=Q(agent_id__isnull=True) | Q(agent_id__gt=0), name="lane_agent_id"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("lane", args=[self.name])

    @property
    def lane_name(self) -> str:
        """By this the audit finds the edits of its record among all else about it."""
        return self.name

    @property
    def directory(self) -> str:
        """Where its runner is configured and runs (M48)."""
        return f"{self.registration_root}/{self.name}"

    @property
    def unit(self) -> str:
        """Its systemd unit (M13)."""
        return names.unit_name(self.name)

    def as_desired(self) -> Desired:
        """The contract that planner and executor work on."""
        return Desired.model_validate(
            {
                "scope": self.scope,
                "host_name": self.host.name,
                "lane_name": self.name,
                "registration_root": self.registration_root,
                "service_user": self.service_user,
                "systemd_unit_name": self.unit,
                "labels": tuple(self.labels),
                "runner_version_policy": self.runner_version_policy,
                "managed": self.managed,
                "agent_id": self.agent_id,
            }
        )


class LaneGrant(models.Model):
    """The opt-in of a host for a repository or an organization: without one no lane may be there (L3)."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="lane_grants")
    scope = models.CharField(max_length=140, validators=[validate_scope], help_text="owner/repository, or an owner.")
    max_lanes = models.PositiveSmallIntegerField("lanes at most", help_text="0 lets no new one come.")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["scope"]
        constraints = [
            models.UniqueConstraint(
                "host",
                Lower("scope"),
                name="lane_grant_once",
                violation_error_message="This host has a grant for that scope.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope}, {self.max_lanes} at most"

    def as_grant(self) -> Grant:
        """The contract that the planner works on."""
        return Grant(host_name=self.host.name, scope=self.scope, max_lanes=self.max_lanes)


class LaneDocument(models.Model):
    """What was seen of a lane but for times, as canonical text, compressed; once however many snapshots are equal."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    compressed = models.BinaryField()
    # when a snapshot was last made of it: what nobody refers to is dropped, unless somebody is about to
    wanted_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.sha256


class LaneSnapshot(models.Model):
    """A lane as it was seen from `first_at` to `observed_at`: each look between them saw the same.

    `listed_at` and `request_ids` are of GitHub's last answer, `runners_listed` is how many runners the scope had.
    """

    lane = models.ForeignKey(Lane, on_delete=models.CASCADE, related_name="snapshots")
    document = models.ForeignKey(LaneDocument, on_delete=models.PROTECT, related_name="snapshots")
    first_at = models.DateTimeField()
    observed_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True)
    request_ids = models.JSONField(default=list)
    runners_listed = models.PositiveIntegerField(null=True)
    asked_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["-observed_at", "-pk"]
        get_latest_by = ["observed_at", "pk"]
        # read by the lane's page and by each look (latest), and by the thinning (oldest)
        indexes = [models.Index(fields=["lane", "-observed_at"])]

    def __str__(self) -> str:
        return f"{self.lane} at {self.observed_at:%Y-%m-%d %H:%M:%S}"


class LaneContact(models.Model):
    """A span in which each look saw the lane online, or offline, at GitHub (X14). Unknown does not count."""

    lane = models.ForeignKey(Lane, on_delete=models.CASCADE, related_name="contacts")
    online = models.BooleanField()
    since = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        ordering = ["-since", "-pk"]
        get_latest_by = ["since", "pk"]
        # read by the lane's page, and by each look: the last one
        indexes = [models.Index(fields=["lane", "-since"])]

    def __str__(self) -> str:
        return f"{self.lane} {'online' if self.online else 'offline'} since {self.since:%Y-%m-%d %H:%M}"
