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
