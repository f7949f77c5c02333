"""Who may do what on one host, and by what: given on this host, on every host, or as somebody who may do everything."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission

from launchplane.access.models import User
from launchplane.hosts import grants
from launchplane.hosts.models import Host, HostGroupObjectPermission, HostUserObjectPermission

EVERYTHING = "everything, as a superuser"


@dataclass(frozen=True, slots=True)
class Given:
    """One right that somebody was given on this host, and which can be taken back here."""

    value: str  # the holder as the form names it: user:3, group:2
    who: str
    note: str
    right: str  # app.codename
    words: str


@dataclass(frozen=True, slots=True)
class Everywhere:
    """What somebody may do on every host, so on this one too."""

    who: str
    note: str
    rights: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """Everybody who may do something on one host."""

    given: tuple[Given, ...]
    everywhere: tuple[Everywhere, ...]


def value_of(holder: grants.Holder) -> str:
    """`holder` as a form's field names it."""
    return f"{'group' if isinstance(holder, Group) else 'user'}:{holder.pk}"


def words_of(right: Permission) -> str:
    """ "Can approve changes of host" as what follows "may": "approve changes of host"."""
    return right.name.removeprefix("Can ")


def access_to(host: Host) -> Access:
    """Read in a constant number of queries, however many people, groups and rights there are."""
    offered = {right.pk: right for right in grants.rights()}
    return Access(given=tuple(_given(host)), everywhere=tuple(_everywhere(offered)))


def _given(host: Host) -> Iterable[Given]:
    of_users = HostUserObjectPermission.objects.filter(content_object=host).select_related("user", "permission")
    for of_user in of_users.order_by("user__username", "permission"):
        yield _row(of_user.user, _note_of(of_user.user), of_user.permission)
    of_groups = HostGroupObjectPermission.objects.filter(content_object=host).select_related("group", "permission")
    for of_group in of_groups.order_by("group__name", "permission").prefetch_related("group__user_set"):
        yield _row(of_group.group, _members(of_group.group), of_group.permission)


def _row(holder: grants.Holder, note: str, right: Permission) -> Given:
    return Given(value_of(holder), grants.name_of(holder), note, f"hosts.{right.codename}", words_of(right))


def _everywhere(offered: dict[int, Permission]) -> Iterable[Everywhere]:
    for boss in User.objects.filter(is_superuser=True, is_active=True).order_by("username"):
        yield Everywhere(boss.get_username(), "", (EVERYTHING,))
    own = User.user_permissions.through.objects.filter(permission__in=offered).values_list("user_id", "permission_id")
    of_users = _by_holder(own, offered)
    for user in User.objects.filter(pk__in=of_users).order_by("username"):
        yield Everywhere(user.get_username(), _note_of(user), of_users[user.pk])
    shared = Group.permissions.through.objects.filter(permission__in=offered)
    of_groups = _by_holder(shared.values_list("group_id", "permission_id"), offered)
    for group in Group.objects.filter(pk__in=of_groups).order_by("name").prefetch_related("user_set"):
        yield Everywhere(grants.name_of(group), _members(group), of_groups[group.pk])


def _by_holder(links: Iterable[tuple[int, int]], offered: dict[int, Permission]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[int]] = defaultdict(list)
    for holder, right in links:
        found[holder].append(right)
    return {holder: tuple(words_of(offered[right]) for right in sorted(held)) for holder, held in found.items()}


def _members(group: Group) -> str:
    names = sorted(user.get_username() for user in group.user_set.all() if user.is_active)
    return ", ".join(names) or "nobody is in it"


def _note_of(user: User) -> str:
    return "" if user.is_active else "may not log in"
