"""The first two people: made when there is nobody at all, each with a random password that is told once, never kept."""

import secrets
from dataclasses import dataclass, field

from django.contrib.auth.models import Group
from django.db import transaction

from launchplane.access.acting import acting_as
from launchplane.access.models import User
from launchplane.access.people import FIRST_START

# No character that is mistaken for another when read aloud or copied by hand; 20 of 31 are 99 bits.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
FIRST_PEOPLE = (("operator", "Operators"), ("approver", "Approvers"))


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Somebody who can log in from now on. The password stays out of the representation, so out of any log."""

    username: str
    password: str = field(repr=False)


@transaction.atomic
def create_first_accounts() -> list[NewAccount]:
    """Make an operator and an approver if there is no user; otherwise nothing. The groups come from the migrations."""
    if User.objects.exists():
        return []
    with acting_as(FIRST_START):
        return [_create(username, group) for username, group in FIRST_PEOPLE]


def _create(username: str, group: str) -> NewAccount:
    account = NewAccount(username, random_password())
    user = User.objects.create_user(username, password=account.password, is_staff=True)
    user.password_is_initial = True
    user.save(update_fields=["password_is_initial"])
    user.groups.add(Group.objects.get(name=group))
    return account


def random_password() -> str:
    """Four groups of five characters, from the system's source of randomness."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(4))
