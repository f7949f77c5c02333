"""What was seen on a host and what an operator said about it."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models

from hygiene.contracts import BudgetRule, Confidence, ProtectionRule
from hygiene.contracts import Kind as ResourceKind
from hygiene.product_repository import ProductRepository
from launchplane.hosts.models import Host
from launchplane.hosts.validators import validate_pattern
from launchplane.words import CENTURY_SECONDS

__all__ = [
    "Budget",
    "ImageLayers",
    "ObservationRun",
    "ProductRepository",
    "Protection",
    "Regret",
    "Resource",
    "Snapshot",
    "SnapshotDocument",
]


class Protection(models.Model):
    """A no-touch rule: whatever matches can never be a target, whoever approves (H45)."""

    class Kind(models.TextChoices):
        IMAGE = "image", "image (tag or id)"
        CONTAINER = "container", "container (name)"
        VOLUME = "volume", "volume (name)"
        BUILDER = "builder", "builder (node)"
        LABEL = "label", "label (key=value, on anything)"
        ANY = "any", "anything (name, tag or id)"

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="protections")
    kind = models.CharField(max_length=10, choices=Kind)
    pattern = models.CharField(
        max_length=500,
        validators=[validate_pattern],
        help_text="Regular expression (RE2), found anywhere in the name: use ^ and $ to anchor it.",
    )
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["kind", "pattern"]
        constraints = [models.UniqueConstraint(fields=["host", "kind", "pattern"], name="protection_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pattern}"

    def as_rule(self) -> ProtectionRule:
        return ProtectionRule.model_validate({"kind": self.kind, "pattern": self.pattern, "reason": self.reason})


FIXED_SCOPES = (
    "build_cache",
    "images",
    "images.dangling",
    "images.labelled",
    "containers",
    "runner_work",
    "logs",
)
NOT_JUDGED_YET = ("runner_work", "logs")  # a budget can be set; what it would decide on is only measured so far


def validate_scope(value: str) -> None:
    """One of the fixed scopes, or `builder:<node>`."""
    if value not in FIXED_SCOPES and not (value.startswith("builder:") and len(value) > len("builder:")):
        raise ValidationError(f"{value[:80]!r} is no scope: use one of {', '.join(FIXED_SCOPES)} or builder:<node>")


class Budget(models.Model):
    """A retention bound of a host. In report mode it only decides what is shown as "could go"."""

    class Mode(models.TextChoices):
        REPORT = "report", "report only"
        APPLY = "apply", "may be applied"

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="budgets")
    scope = models.CharField(max_length=300, validators=[validate_scope])
    max_bytes = models.BigIntegerField(null=True, blank=True, help_text="Empty: age alone decides.")
    reserve_bytes = models.BigIntegerField(default=0, help_text="Always kept, whatever its age.")
    min_age_seconds = models.BigIntegerField(
        validators=[MaxValueValidator(CENTURY_SECONDS)], help_text="Younger, or used more recently, is kept."
    )
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.REPORT)

    class Meta:
        ordering = ["scope"]
        constraints = [
            models.UniqueConstraint(fields=["host", "scope"], name="budget_once"),
            models.CheckConstraint(
                condition=(models.Q(max_bytes__isnull=True) | models.Q(max_bytes__gte=0))
                & models.Q(reserve_bytes__gte=0)
                & models.Q(min_age_seconds__gte=0),
                name="budget_is_not_negative",
            ),
            # so that no time can be reckoned beyond what a calendar has
            models.CheckConstraint(
                condition=models.Q(min_age_seconds__lte=CENTURY_SECONDS), name="budget_age_within_a_century"
            ),
            models.CheckConstraint(
                condition=models.Q(max_bytes__isnull=True) | models.Q(max_bytes__gte=models.F("reserve_bytes")),
                name="budget_reserve_within_max",
                violation_error_message="The reserve must not be larger than the maximum.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} on {self.host_id}"

    def as_rule(self) -> BudgetRule:
        return BudgetRule(
            scope=self.scope,
            max_bytes=self.max_bytes,
            reserve_bytes=self.reserve_bytes,
            min_age_seconds=self.min_age_seconds,
        )


class Resource(models.Model):
    """The ledger: one row for each image, container, volume and builder ever seen on a host."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="resources")
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in ResourceKind])
    key = models.CharField(max_length=300)
    first_seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)
    in_use = models.BooleanField(default=False)
    last_used_at = models.DateTimeField(null=True)
    last_used_confidence = models.CharField(
        max_length=10, choices=[(level.value, level.value) for level in Confidence], default=Confidence.NEVER_SEEN
    )
    unused_since = models.DateTimeField(null=True)
    dangling_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "kind", "key"], name="resource_once")]
        # read by every pass and every page: what a host has now
        indexes = [models.Index(fields=["host"], condition=models.Q(gone_at=None), name="resource_present")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class ImageLayers(models.Model):
    """The layers of an image id, base first, asked for once: ids are immutable. `sizes` as its history lists them.

    By host, though ids are the same everywhere: what one host says of an image must not decide for another. Both lists
    are text, with a space between two entries: a thousand are read in a pass, and JSON takes far longer.
    """

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="+")
    image_id = models.CharField(max_length=255)
    layers = models.TextField()
    sizes = models.TextField()
    # noted once a month, not at each pass: what nobody asked for in a long time is dropped
    wanted_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "image_id"], name="image_layers_once")]

    def __str__(self) -> str:
        return self.image_id


class SnapshotDocument(models.Model):
    """A canonical inventory, compressed, stored once however many snapshots are equal to it."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    # digest of the facts as pydantic writes them: cheap to make, and enough to see that nothing changed since
    facts_sha256 = models.CharField(max_length=64, db_index=True)
    compressed = models.BinaryField()
    text_bytes = models.BigIntegerField()

    def __str__(self) -> str:
        return self.sha256


class Snapshot(models.Model):
    """One observation of a host: its inventory document, and the readings that move all the time."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="snapshots")
    observed_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    document = models.ForeignKey(SnapshotDocument, on_delete=models.PROTECT, related_name="snapshots")
    readings = models.TextField()
    disk_total_bytes = models.BigIntegerField(null=True)
    disk_used_bytes = models.BigIntegerField(null=True)
    disk_free_bytes = models.BigIntegerField(null=True)
    reclaimable_bytes = models.BigIntegerField(null=True)
    joint_reclaim_bytes = models.BigIntegerField(null=True)
    resources = models.PositiveIntegerField()
    report = models.TextField()

    class Meta:
        ordering = ["-observed_at", "-pk"]
        get_latest_by = ["observed_at", "pk"]
        # read by the host page (latest), the chart (range) and the thinning (oldest)
        indexes = [models.Index(fields=["host", "-observed_at"])]

    def __str__(self) -> str:
        return f"{self.host_id} at {self.observed_at:%Y-%m-%d %H:%M:%S}"


class ObservationRun(models.Model):
    """One attempt to observe a host: who asked, how far it is, how it ended."""

    class Status(models.TextChoices):
        QUEUED = "queued", "waits for a worker"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        LOST = "lost", "lost: its worker died"

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="runs")
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    machine = models.CharField(max_length=100, blank=True)
    progress = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=40, blank=True)
    sentence = models.CharField(max_length=600, blank=True)
    snapshot = models.ForeignKey(Snapshot, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-asked_at", "-pk"]
        get_latest_by = ["asked_at", "pk"]
        constraints = [
            # D26: scans of one host never overlap, whatever the queue does
            models.UniqueConstraint(
                fields=["host"], condition=models.Q(status="running"), name="one_observation_of_a_host_at_a_time"
            ),
        ]
        indexes = [models.Index(fields=["host", "-asked_at"])]

    def __str__(self) -> str:
        return f"{self.host_id} {self.status}"


class Regret(models.Model):
    """Something that a clean-up removed and that was there again soon after: somebody needed it (X7)."""

    step = models.OneToOneField("changes.Step", on_delete=models.PROTECT, related_name="regret")
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="regrets")
    name = models.CharField(max_length=400)
    noticed_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        ordering = ["-noticed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} is back on {self.host_id}"
