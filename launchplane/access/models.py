"""The one user model."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person. `password_is_initial` says that the password is the one printed at the first start."""

    password_is_initial = models.BooleanField(default=False, editable=False)

    def set_password(self, raw_password: str | None) -> None:
        """Store a hash of `raw_password`; whoever sets one has chosen it, so it is no longer the initial one."""
        super().set_password(raw_password)
        self.password_is_initial = False


class CredentialChange(models.Model):
    """Who changed what somebody can log in with or may do. Four eyes rest on it: see `changes.approvals`.

    `by` is empty where nobody was logged in: a migration, a first start, a shell.
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
        # read before an approval: what happened to this person's account lately
        indexes = [models.Index(fields=["user", "-at"])]

    def __str__(self) -> str:
        return f"{self.what} of {self.user_id} at {self.at:%Y-%m-%d %H:%M:%S}"
