"""A token that lets a program in: it stands for a person, and may do no more than that person may right now."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from launchplane.access.actions import Action
from launchplane.access.models.accounts import User

LONGEST_LIFE = timedelta(days=365)


def validate_actions(value: object) -> None:
    """Raises ValidationError for anything but a list of actions, each once."""
    known = {action.value for action in Action}
    if not isinstance(value, list) or not value or not set(map(str, value)) <= known or len(set(value)) < len(value):
        raise ValidationError("Choose at least one action.")


class ApiToken(models.Model):
    """What is known of a token. Its secret part is not: only the hash, which is enough to tell it again.

    `hosts` are named by their app's label: `hosts` stands on `access`, and not the other way round.
    """

    name = models.CharField(
        max_length=80,
        validators=[RegexValidator(r"\A[^\x00-\x1f\x7f]+\Z", "Letters, digits and signs only, in one line.")],
        help_text="Who or what uses it, such as: nightly report of ci-1.",
    )
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    actions = models.JSONField(default=list, validators=[validate_actions])
    all_hosts = models.BooleanField(
        default=False, help_text="All hosts that the owner may see, also those that are added later."
    )
    hosts = models.ManyToManyField("hosts.Host", blank=True, related_name="+")
    expires_at = models.DateTimeField(help_text="In UTC, a year from now at the latest.")
    # the part of the token that is no secret, by which its row is found
    public = models.CharField(max_length=12, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    # whoever saw the token, if that was not its owner; the name stays when the account goes
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", editable=False)
    made_by_name = models.CharField("made by", max_length=150, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_from = models.CharField(max_length=60, blank=True, editable=False)

    class Meta:
        verbose_name = "API token"
        # a row is kept when the token is revoked: deleting is for accounts
        default_permissions = ("view", "add")
        permissions = [("manage_apitokens", "Can make, change and revoke API tokens of others")]
        ordering = ["owner__username", "name"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="api_token_name_once_an_owner")]

    def __str__(self) -> str:
        return f"{self.name} of {self.owner.get_username()}"

    def clean(self) -> None:
        """It ends, and within a year of its making: nobody remembers a token that is older."""
        if self.expires_at is not None and not timezone.now() < self.expires_at <= self.made_at + LONGEST_LIFE:
            latest = f"{self.made_at + LONGEST_LIFE:%Y-%m-%d %H:%M} UTC"
            raise ValidationError({"expires_at": f"Give a time from now on, and {latest} at the latest."})

    def is_over(self, now: datetime) -> bool:
        """Whether it let anybody in once, and does no more."""
        return self.revoked_at is not None or self.expires_at <= now
