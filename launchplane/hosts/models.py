"""The machines that Launchplane looks at, when each could be reached, and who holds a right on one of them."""

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from launchplane.hosts.validators import (
    validate_docker_url,
    validate_folders,
    validate_names,
    validate_patterns,
    validate_slug,
    validate_ssh_host_key,
    validate_ssh_target,
    validate_window,
)

GB = 10**9


class Host(models.Model):
    """A runner host: how to reach it, which engine it is, and the limits that its report is held against."""

    class Connection(models.TextChoices):
        LOCAL = "local", "this machine"
        SSH = "ssh", "over ssh"

    name = models.CharField(max_length=64, unique=True, validators=[validate_slug])
    roles = models.JSONField(default=list, blank=True, validators=[validate_names], help_text='Such as ["ci"].')
    connection = models.CharField(max_length=8, choices=Connection, default=Connection.LOCAL)
    docker_url = models.CharField(
        max_length=200, default="unix:///var/run/docker.sock", validators=[validate_docker_url]
    )
    ssh_target = models.CharField(
        max_length=200, blank=True, validators=[validate_ssh_target], help_text="Such as launchplane@runner-1."
    )
    ssh_host_key = models.TextField(
        blank=True,
        validators=[validate_ssh_host_key],
        help_text="Pinned when the host was added; a machine that answers with another one is sent nothing.",
    )
    engine_id = models.CharField(
        max_length=128,
        unique=True,  # H58: one owner of an engine; the same one under two names would be cleaned twice
        help_text="Pinned when the host was added; another engine is refused.",
    )
    docker_root = models.CharField(max_length=400, blank=True)
    runner_roots = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_folders],
        help_text='Folders of runners, such as ["/srv/runners"].',
    )
    service_users = models.JSONField(
        default=list, blank=True, validators=[validate_names], help_text="Users that runners run as."
    )
    run_patterns = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_patterns],
        help_text="Regular expressions (RE2): a stack, service or container that matches is a run in progress.",
    )
    managed_label = models.CharField(
        max_length=200, blank=True, help_text="A label such as ci.managed=true on images that a CI job made and left."
    )
    pressure_percent = models.PositiveSmallIntegerField(
        default=80, help_text="From this share of the disk on, a clean-up may run."
    )
    minimum_free_bytes = models.BigIntegerField(default=20 * GB)
    reclaimable_limit_bytes = models.BigIntegerField(default=50 * GB)
    workdir_limit_bytes = models.BigIntegerField(default=50 * GB)
    maintenance_window = models.CharField(
        max_length=40,
        blank=True,
        validators=[validate_window],
        help_text="UTC, like 22:00-05:00; empty is any time.",
    )
    approved = models.BooleanField(
        default=False, help_text="Without it the host is observed and planned for, never changed."
    )
    hygiene_enabled = models.BooleanField(default=False)
    lanes_enabled = models.BooleanField(default=False)
    is_sandbox = models.BooleanField(default=False, editable=False)
    notes = models.TextField(blank=True, help_text="For the runbook.")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        permissions = [
            ("observe_host", "Can observe host now"),
            ("request_change", "Can ask for changes of host"),
            ("approve_change", "Can approve changes of host"),
            ("freeze_host", "Can freeze host and lift a freeze"),
            ("resolve_change", "Can say what became of a change of host that is in doubt"),
            ("manage_access", "Can give and take rights on host"),
            ("send_evidence", "Can send evidence about host"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(pressure_percent__gte=1) & models.Q(pressure_percent__lte=100),
                name="host_pressure_is_a_percentage",
            ),
            models.CheckConstraint(
                condition=models.Q(minimum_free_bytes__gte=0)
                & models.Q(reclaimable_limit_bytes__gte=0)
                & models.Q(workdir_limit_bytes__gte=0),
                name="host_limits_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("host", args=[self.name])

    def clean(self) -> None:
        """A host over ssh has a target and a pinned key, any other neither."""
        wants = self.connection == self.Connection.SSH
        for field in ("ssh_target", "ssh_host_key"):
            if bool(getattr(self, field)) != wants:
                said = "is needed for a host over ssh" if wants else "is for hosts over ssh (--connection ssh)"
                raise ValidationError({field: f"This {said}."})


class RequiredWarm(models.Model):
    """Something warm that must exist after every run on a host: a builder's node or an image's tag."""

    class Kind(models.TextChoices):
        BUILDER = "builder", "builder"
        IMAGE = "image", "image"

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="required_warm")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=300)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "required warm item"
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["host", "kind", "name"], name="required_warm_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Contact(models.Model):
    """A change between reachable and not, with why (X14). One row a change, not one a look."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="contacts")
    at = models.DateTimeField()
    reachable = models.BooleanField()
    code = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        get_latest_by = "pk"
        # read by the dashboard: the last contact of each host
        indexes = [models.Index(fields=["host", "-at"])]

    def __str__(self) -> str:
        return f"{self.host_id} {'reachable' if self.reachable else 'unreachable'} since {self.at:%Y-%m-%d %H:%M}"


class HostUserObjectPermission(UserObjectPermissionBase):
    """A right of one person on one host. It goes with either; written by `hosts.grants` alone."""

    content_object = models.ForeignKey(Host, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()

    def __str__(self) -> str:
        return f"right {self.permission_id} of person {self.user_id} on host {self.content_object_id}"


class HostGroupObjectPermission(GroupObjectPermissionBase):
    """A right of one group on one host. It goes with either; written by `hosts.grants` alone."""

    content_object = models.ForeignKey(Host, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()

    def __str__(self) -> str:
        return f"right {self.permission_id} of group {self.group_id} on host {self.content_object_id}"
