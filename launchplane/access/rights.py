"""May this person do this to this object? A right for all objects or for this one; every door asks here."""

from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from guardian.shortcuts import get_objects_for_user

from launchplane.access.models import User

M = TypeVar("M", bound=Model)


def may(user: User | AnonymousUser, right: str, target: Model) -> bool:
    """True if `user` holds `right` ("app.codename") for every object or for `target`."""
    return user.is_authenticated and (user.has_perm(right) or user.has_perm(right, target))


def visible(user: User | AnonymousUser, right: str, among: QuerySet[M]) -> QuerySet[M]:
    """The part of `among` for which `user` holds `right`; nothing for a person who is not logged in."""
    if not user.is_authenticated:
        return among.none()
    found: QuerySet[M] = get_objects_for_user(user, right, klass=among, accept_global_perms=True)
    return found
