"""The one user model, who changed what of an account, what groups began with, and how many wrong passwords came."""

from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser, Group, Permission
from django.db import models, transaction


class User(AbstractUser):
    """A person. `password_is_initial` says that the password is the one printed at the first start."""

    password_is_initial = models.BooleanField(default=False, editable=False)

    def save(self, *args: Any, **options: Any) -> None:
        """Stored together with the record of it (`access.watch`), whichever command or page does it."""
        with transaction.atomic():
            super().save(*args, **options)

    def set_password(self, raw_password: str | None) -> None:
        """Store a hash of `raw_password`; whoever sets one has chosen it, so it is no longer the initial one."""
        super().set_password(raw_password)
        self.password_is_initial = False

    def check_password(self, raw_password: str | None) -> bool:
        """Whether it is right. If so, a hash of an older strength is made anew, which is no other password."""

        def strengthen(right_password: str) -> None:
            old, self.password = self.password, make_password(right_password)
            # not `save`, which would note that somebody set a password
            User.objects.filter(pk=self.pk, password=old).update(password=self.password)

        return check_password(raw_password, self.password, strengthen)


class CredentialChange(models.Model):
    """Who changed what somebody can log in with or may do. Four eyes rest on it: see `changes.eyes`.

    `by` is empty where nobody was logged in (a shell, a first start), or where that account is gone.
    """

    class What(models.TextChoices):
        CREATED = "created", "account made"
        PASSWORD = "password", "password set"
        ACCOUNT = "account", "name, address or standing changed"
        GROUPS = "groups", "groups changed"
        RIGHTS = "rights", "rights changed"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="credential_changes")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=150, blank=True)
    what = models.CharField(max_length=10, choices=What)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["-at", "-pk"]
        # read before an approval: what happened to accounts lately
        indexes = [models.Index(fields=["-at"])]

    def __str__(self) -> str:
        return f"{self.what} of {self.user_id} at {self.at:%Y-%m-%d %H:%M:%S}"


class GivenByDefault(models.Model):
    """A right that a group was given by the installation, so that no later migration gives it again."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["group", "permission"], name="given_by_default_once")]

    def __str__(self) -> str:
        return f"right {self.permission_id} of group {self.group_id}"


class Tries(models.Model):
    """How many wrong passwords came in one window of time; written by `access.passwords` alone.

    `key` is a keyed hash: somebody may have typed a password where the name belongs.
    """

    key = models.CharField(max_length=64, unique=True)
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        # read when rows that no longer count are swept
        indexes = [models.Index(fields=["since"])]

    def __str__(self) -> str:
        return f"{self.count} since {self.since:%Y-%m-%d %H:%M:%S}"
