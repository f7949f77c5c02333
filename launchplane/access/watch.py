"""Notes every edit of accounts, groups and rights: who did it to whom, in the audit and for the rule of four eyes.

What Django's models and guardian's announce is seen, whichever page or command does it; `QuerySet.update` announces
nothing and is not used on them.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_init, post_save, pre_delete
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from audits import record
from launchplane.access.acting import acting
from launchplane.access.models import CredentialChange, User

What = CredentialChange.What
ACCOUNT_FIELDS = ("username", "email", "first_name", "last_name", "is_active", "is_staff")
RIGHTS_FIELDS = ("is_superuser",)
EDITS = {"post_add": "given", "post_remove": "taken", "pre_clear": "taken"}
WATCHED = ("password", *ACCOUNT_FIELDS, *RIGHTS_FIELDS)


def watch() -> None:
    """Connect the signals. Called once, when all apps are loaded."""
    post_init.connect(_remember, sender=User, dispatch_uid="access.remember")
    post_save.connect(_user_saved, sender=User, dispatch_uid="access.user")
    pre_delete.connect(_user_goes, sender=User, dispatch_uid="access.user_goes")
    m2m_changed.connect(_user_moved, sender=User.groups.through, dispatch_uid="access.groups")
    m2m_changed.connect(_user_allowed, sender=User.user_permissions.through, dispatch_uid="access.rights")
    m2m_changed.connect(_group_allowed, sender=Group.permissions.through, dispatch_uid="access.group_rights")
    pre_delete.connect(_group_goes, sender=Group, dispatch_uid="access.group_goes")
    for model in apps.get_models():
        if issubclass(model, UserObjectPermissionBase | GroupObjectPermissionBase):
            post_save.connect(_right_on_object, sender=model, dispatch_uid=f"access.saved.{model._meta.label}")
            post_delete.connect(_right_on_object, sender=model, dispatch_uid=f"access.deleted.{model._meta.label}")


def note(users: Iterable[User], what: str, sentence: str) -> None:
    """One row for each account that is touched, and one audit record for the edit."""
    by, touched = acting(), list(users)
    with transaction.atomic():
        CredentialChange.objects.bulk_create(
            CredentialChange(user=user, by=by.user, by_name=by.name, what=what) for user in touched
        )
        record.append(
            kind=f"access.{what}",
            key=touched[0].get_username() if len(touched) == 1 else "several accounts",
            status="completed",
            payload={"what": sentence, "accounts": sorted(user.get_username() for user in touched)},
            actor=by.actor(),
            source=by.source,
        )


def _remember(instance: User, **_: Any) -> None:
    instance.__dict__["_as_stored"] = _watched(instance)


def _watched(user: User) -> dict[str, Any]:
    """The fields that are loaded; asking for a deferred one would load it."""
    return {name: user.__dict__[name] for name in WATCHED if name in user.__dict__}


def _user_saved(instance: User, created: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    before, now = instance.__dict__.get("_as_stored", {}), _watched(instance)
    instance.__dict__["_as_stored"] = now
    if created:
        note([instance], What.CREATED, f"{instance.get_username()} was made")
        return
    changed = [name for name in now if name in before and before[name] != now[name]]
    stored = [name for name in changed if update_fields is None or name in update_fields]
    for what, names in ((What.PASSWORD, ("password",)), (What.ACCOUNT, ACCOUNT_FIELDS), (What.RIGHTS, RIGHTS_FIELDS)):
        if words := ", ".join(_in_words(name, now[name]) for name in stored if name in names):
            note([instance], what, f"{instance.get_username()}: {words}")


def _in_words(name: str, value: object) -> str:
    return "a password was set" if name == "password" else f"{name} is now {value!r}"


def _user_goes(instance: User, **_: Any) -> None:
    note([], What.ACCOUNT, f"{instance.get_username()} was deleted")


def _user_moved(action: str, instance: User | Group, pk_set: set[int] | None, **_: Any) -> None:
    """`pk_set` names groups, or users where a group's members were edited; a clearing names none."""
    if action not in EDITS:
        return
    if isinstance(instance, Group):
        users = instance.user_set.all() if pk_set is None else User.objects.filter(pk__in=pk_set)
        _note_if_any(users, What.GROUPS, action, [instance.name])
    else:
        groups = instance.groups.all() if pk_set is None else Group.objects.filter(pk__in=pk_set)
        _note_if_any([instance], What.GROUPS, action, [group.name for group in groups])


def _user_allowed(action: str, instance: User | Permission, pk_set: set[int] | None, **_: Any) -> None:
    if action not in EDITS:
        return
    if isinstance(instance, Permission):
        users = instance.user_set.all() if pk_set is None else User.objects.filter(pk__in=pk_set)
        _note_if_any(users, What.RIGHTS, action, [_name(instance)])
    else:
        rights = instance.user_permissions.all() if pk_set is None else Permission.objects.filter(pk__in=pk_set)
        _note_if_any([instance], What.RIGHTS, action, [_name(right) for right in rights])


def _group_allowed(action: str, instance: Group | Permission, pk_set: set[int] | None, **_: Any) -> None:
    """Whoever is in a group has its rights: their rights change with it."""
    if action not in EDITS:
        return
    if isinstance(instance, Permission):
        groups = instance.group_set.all() if pk_set is None else Group.objects.filter(pk__in=pk_set)
        rights = [_name(instance)]
    else:
        groups = Group.objects.filter(pk=instance.pk)
        chosen = instance.permissions.all() if pk_set is None else Permission.objects.filter(pk__in=pk_set)
        rights = [_name(right) for right in chosen]
    names = ", ".join(group.name for group in groups)
    if rights and names:
        users = User.objects.filter(groups__in=groups).distinct()
        note(users, What.RIGHTS, f"group {names}: {EDITS[action]} {', '.join(sorted(rights))}")


def _group_goes(instance: Group, **_: Any) -> None:
    note(instance.user_set.all(), What.GROUPS, f"group {instance.name} was deleted")


def _right_on_object(instance: UserObjectPermissionBase | GroupObjectPermissionBase, **event: Any) -> None:
    """A right on one object: given when the row is new, taken when it goes."""
    verb = "given" if event.get("created") else "taken"
    if isinstance(instance, GroupObjectPermissionBase):
        users, holder = list(instance.group.user_set.all()), f"group {instance.group.name}"
    else:
        users, holder = [instance.user], instance.user.get_username()
    note(users, What.RIGHTS, f"{holder}: {verb} {_name(instance.permission)} on {_object_of(instance)}")


def _note_if_any(users: Iterable[User], what: str, action: str, names: list[str]) -> None:
    if names and (touched := list(users)):
        whose = ", ".join(user.get_username() for user in touched)
        note(touched, what, f"{whose}: {EDITS[action]} {', '.join(sorted(names))}")


def _name(right: Permission) -> str:
    return f"{right.content_type.app_label}.{right.codename}"


def _object_of(instance: UserObjectPermissionBase | GroupObjectPermissionBase) -> str:
    return str(getattr(instance, "content_object", "an object"))
