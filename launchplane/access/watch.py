"""Notes every edit of accounts, groups and rights: who did it to whom, in the audit and for the rule of four eyes.

What Django's models and guardian's announce is seen, whichever page or command does it; `QuerySet.update` announces
nothing and is not used on them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from audits import record
from launchplane.access.acting import acting
from launchplane.access.models import CredentialChange, User

What = CredentialChange.What
ACCOUNT_FIELDS = ("username", "email", "first_name", "last_name", "is_active", "is_staff")
RIGHTS_FIELDS = ("is_superuser",)
EDITS = {"post_add": "given", "post_remove": "taken", "pre_clear": "taken"}
WATCHED = ("password", *ACCOUNT_FIELDS, *RIGHTS_FIELDS)
Values = dict[str, dict[str, Any]]


def watch() -> None:
    """Connect the signals. Called once, when all apps are loaded."""
    pre_save.connect(_user_is_saved, sender=User, dispatch_uid="access.user_before")
    post_save.connect(_user_saved, sender=User, dispatch_uid="access.user")
    pre_delete.connect(_user_goes, sender=User, dispatch_uid="access.user_goes")
    m2m_changed.connect(_user_moved, sender=User.groups.through, dispatch_uid="access.groups")
    m2m_changed.connect(_user_allowed, sender=User.user_permissions.through, dispatch_uid="access.rights")
    m2m_changed.connect(_group_allowed, sender=Group.permissions.through, dispatch_uid="access.group_rights")
    pre_save.connect(_group_is_saved, sender=Group, dispatch_uid="access.group_before")
    post_save.connect(_group_saved, sender=Group, dispatch_uid="access.group")
    pre_delete.connect(_group_goes, sender=Group, dispatch_uid="access.group_goes")
    for model in apps.get_models():
        if issubclass(model, UserObjectPermissionBase | GroupObjectPermissionBase):
            post_save.connect(_right_on_object, sender=model, dispatch_uid=f"access.saved.{model._meta.label}")
            post_delete.connect(_right_on_object, sender=model, dispatch_uid=f"access.deleted.{model._meta.label}")


def note(
    users: Iterable[User], what: str, sentence: str, *, key: str = "", host: str = "", values: Values | None = None
) -> None:
    """One row for each account that is touched, and one audit record for the edit. Raises AuditRefused."""
    by, touched = acting(), list(users)
    with transaction.atomic():
        CredentialChange.objects.bulk_create(
            CredentialChange(user=user, by=by.user, by_name=by.name, what=what) for user in touched
        )
        record.append(
            kind=f"access.{what}",
            key=key or (touched[0].get_username() if len(touched) == 1 else "several accounts"),
            status="completed",
            payload={
                "what": sentence,
                "accounts": sorted(user.get_username() for user in touched),
                "values": values or {},
            },
            actor=by.actor(),
            source=by.source,
            host=host,
        )


def _user_is_saved(instance: User, update_fields: frozenset[str] | None, **_: Any) -> None:
    """What is stored now is what was before; read in the transaction of the save, and only where that could matter."""
    before: Mapping[str, Any] = {}
    if instance.pk is not None and (update_fields is None or update_fields & set(WATCHED)):
        before = User.objects.filter(pk=instance.pk).values(*WATCHED).first() or {}
    instance.__dict__["_before"] = before


def _user_saved(instance: User, created: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    before = instance.__dict__.pop("_before", {})
    name = instance.get_username()
    if created:
        note([instance], What.CREATED, f"{name} was made", values=_values({}, instance, WATCHED))
        return
    saved = [field for field in WATCHED if field in before and (update_fields is None or field in update_fields)]
    for what, fields in ((What.PASSWORD, ("password",)), (What.ACCOUNT, ACCOUNT_FIELDS), (What.RIGHTS, RIGHTS_FIELDS)):
        changed = [field for field in saved if field in fields and before[field] != getattr(instance, field)]
        if changed:
            words = ", ".join(_in_words(field, getattr(instance, field)) for field in changed)
            note([instance], what, f"{name}: {words}", values=_values(before, instance, changed))


def _values(before: Mapping[str, Any], user: User, fields: Iterable[str]) -> Values:
    """What was and what is, but for the password: neither its old hash nor its new one leaves the table of users."""
    return {
        field: {"before": before.get(field), "after": getattr(user, field)} for field in fields if field != "password"
    }


def _in_words(field: str, value: object) -> str:
    return "a password was set" if field == "password" else f"{field} is now {value!r}"


def _user_goes(instance: User, **_: Any) -> None:
    """Its rights go with it, and so do its rows here: this record is what stays."""
    had = {
        "groups": sorted(instance.groups.values_list("name", flat=True)),
        "rights": sorted(_name(right) for right in instance.user_permissions.select_related("content_type")),
        "rights on one object": sorted(_rights_on_objects(instance)),
        "is_superuser": instance.is_superuser,
        "programs let in": sorted(instance.api_tokens.values_list("name", flat=True)),
    }
    name = instance.get_username()
    values = {field: {"before": value, "after": None} for field, value in had.items()}
    note([], What.ACCOUNT, f"{name} was deleted", key=name, values=values)


def _rights_on_objects(user: User) -> Iterable[str]:
    for model in apps.get_models():
        if issubclass(model, UserObjectPermissionBase):
            held = model._default_manager.filter(user=user).select_related("permission__content_type")
            yield from (f"{_name(row.permission)} on {_object_of(row)}" for row in held)


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


def _group_is_saved(instance: Group, **_: Any) -> None:
    stored = Group.objects.filter(pk=instance.pk).values_list("name", flat=True)
    instance.__dict__["_name_before"] = stored.first() if instance.pk is not None else None


def _group_saved(instance: Group, created: bool, **_: Any) -> None:
    before, now = instance.__dict__.pop("_name_before", None), instance.name
    if before != now:
        sentence = f"group {now} was made" if created else f"group {before} is now called {now}"
        values = {"name": {"before": before, "after": now}}
        note([], What.GROUPS, sentence, key=f"group {now}", values=values)


def _group_goes(instance: Group, **_: Any) -> None:
    rights = sorted(_name(right) for right in instance.permissions.select_related("content_type"))
    note(
        instance.user_set.all(),
        What.GROUPS,
        f"group {instance.name} was deleted",
        key=f"group {instance.name}",
        values={"rights": {"before": rights, "after": None}},
    )


def _right_on_object(instance: UserObjectPermissionBase | GroupObjectPermissionBase, **event: Any) -> None:
    """A right on one object: given when the row is new, taken when it goes. One that goes with its holder was told."""
    if _goes_with_user(event.get("origin")):
        return
    verb = "given" if event.get("created") else "taken"
    if isinstance(instance, GroupObjectPermissionBase):
        users, holder = list(instance.group.user_set.all()), f"group {instance.group.name}"
    else:
        users, holder = [instance.user], instance.user.get_username()
    where = _object_of(instance)
    note(users, What.RIGHTS, f"{holder}: {verb} {_name(instance.permission)} on {where}", key=holder, host=where)


def _goes_with_user(origin: Model | QuerySet[Model] | None) -> bool:
    """Whether a deletion began with accounts; none of them may be pointed at any more."""
    return isinstance(origin, User) or (isinstance(origin, QuerySet) and issubclass(origin.model, User))


def _note_if_any(users: Iterable[User], what: str, action: str, names: list[str]) -> None:
    if names and (touched := list(users)):
        whose = ", ".join(user.get_username() for user in touched)
        note(touched, what, f"{whose}: {EDITS[action]} {', '.join(sorted(names))}")


def _name(right: Permission) -> str:
    return f"{right.content_type.app_label}.{right.codename}"


def _object_of(instance: UserObjectPermissionBase | GroupObjectPermissionBase) -> str:
    return str(getattr(instance, "content_object", "an object"))
