"""The one way to give and take a right on one host. `access.watch` puts each on record, in the same transaction.

Guardian's own shortcuts are called nowhere else: its bulk ones announce nothing, so nothing would be recorded.
"""

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import QuerySet
from guardian.shortcuts import assign_perm, remove_perm

from audits import record
from launchplane.access import tries
from launchplane.access.acting import acting_as
from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.access.rights import may
from launchplane.hosts.models import Host, HostGroupObjectPermission, HostUserObjectPermission
from launchplane.problems import Refused

MANAGE = "hosts.manage_access"
VIEW = "hosts.view_host"
# a host is added by a command and never deleted: a right to do so on one host would be one to nothing
MEANINGLESS = ("add_host", "delete_host")

Holder = User | Group


def rights() -> QuerySet[Permission]:
    """Every right that can be held on one host."""
    found = Permission.objects.filter(content_type__app_label="hosts", content_type__model="host")
    return found.exclude(codename__in=MEANINGLESS).order_by("pk")


def grant(right: str, *, to: Holder, host: Host, by: Principal) -> bool:
    """Give `to` the right "app.codename" on `host`; False if it was given before.

    Raises Refused, which is recorded: `not_permitted`, `self_grant`, `no_such_right`. Raises AuditRefused if it could
    not be recorded; nothing is given then.
    """
    try:
        _require_manager(by, host, right)
        _require_other(by, to)
    except Refused as problem:
        raise _deny(problem, f"give {right} to {name_of(to)}", host, by=by) from problem
    with transaction.atomic(), acting_as(by):
        if _held(right, to, host).exists():
            return False
        assign_perm(right, to, host)
    return True


def withdraw(right: str, *, of: Holder, host: Host, by: Principal) -> bool:
    """Take the right "app.codename" on `host` back; False if it was not given. Raises as `grant` does."""
    try:
        _require_manager(by, host, right)
    except Refused as problem:
        raise _deny(problem, f"take {right} from {name_of(of)}", host, by=by) from problem
    with transaction.atomic(), acting_as(by):
        if not _held(right, of, host).exists():
            return False
        remove_perm(right, of, host)
    return True


def name_of(holder: Holder) -> str:
    """As people and records name a holder of rights."""
    return f"group {holder.name}" if isinstance(holder, Group) else holder.get_username()


def can_see(holder: Holder, host: Host) -> bool:
    """Whether `holder` may open `host` at all: without that no other right on it is of use."""
    if isinstance(holder, User):
        return may(holder, VIEW, host)
    codename = VIEW.split(".")[1]
    everywhere = holder.permissions.filter(content_type__app_label="hosts", codename=codename)
    return everywhere.exists() or _held(VIEW, holder, host).exists()


def _held(
    right: str, holder: Holder, host: Host
) -> QuerySet[HostUserObjectPermission] | QuerySet[HostGroupObjectPermission]:
    codename = right.split(".")[1]
    if isinstance(holder, Group):
        return HostGroupObjectPermission.objects.filter(
            content_object=host, group=holder, permission__codename=codename
        )
    return HostUserObjectPermission.objects.filter(content_object=host, user=holder, permission__codename=codename)


def _require_manager(by: Principal, host: Host, right: str) -> None:
    """Who may manage one host's access gives its rights; the right to do that itself is given by those of all hosts."""
    person = by.user
    if person is None or not person.is_active or not may(person, MANAGE, host):
        raise Refused("not_permitted", f"You may not give or take rights on {host.name}. An administrator can.")
    if right == MANAGE and not person.has_perm(MANAGE):
        raise Refused("not_permitted", "Who may manage the access to one host does not make others do so.")
    app, _, codename = right.partition(".")
    if app != "hosts" or not rights().filter(codename=codename).exists():
        raise Refused("no_such_right", f"{right!r} is no right on a host.")


def _require_other(by: Principal, to: Holder) -> None:
    if by.user is None or by.user.is_superuser:
        return
    if to == by.user or (isinstance(to, Group) and by.user.groups.filter(pk=to.pk).exists()):
        raise Refused(
            "self_grant", "Nobody gives a right to themselves, or to a group that they are in: ask somebody else."
        )


def _deny(problem: Refused, wanted: str, host: Host, *, by: Principal) -> Refused:
    """On record, so many an hour for one person; the problem, to be raised."""
    if (counted := tries.refusal(by, "rights")) is not None:
        record.append_apart(
            kind="access.denied",
            key=by.name,
            status="failed",
            payload={"wanted": wanted, "code": problem.code, "why": problem.sentence, **counted},
            actor=by.actor(),
            source=by.source,
            host=host.name,
        )
    return problem
