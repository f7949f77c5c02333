"""The three groups and what they may do at first. Each right is given once: what an administrator takes stays taken."""

from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.db import transaction
from django.db.models import Q

from audits import record
from launchplane.access.people import NOBODY

READ = [
    "hosts.view_host",
    "hosts.view_requiredwarm",
    "hosts.view_contact",
    "hygiene.view_protection",
    "hygiene.view_budget",
    "hygiene.view_resource",
    "hygiene.view_snapshot",
    "hygiene.view_observationrun",
    "hygiene.view_productrepository",
    "lanes.view_lane",
    "lanes.view_lanegrant",
    "schedule.view_schedule",
    "audits.view_auditrecord",
    "changes.view_change",
    "changes.view_standingapproval",
    "changes.view_freeze",
]

# who is let in beside people, and what by; to let one in is for administrators, and for whom they allow it
SEE_PROGRAMS = ["access.view_apitoken", "access.view_trustedworkflow"]

GROUPS: dict[str, list[str]] = {
    "Auditors": [*READ, "access.view_user", "access.view_credentialchange", *SEE_PROGRAMS],
    "Approvers": [*READ, "hosts.approve_change", "hosts.freeze_host", "hosts.resolve_change"],
    "Operators": [
        *READ,
        "hosts.add_host",
        "hosts.change_host",
        "hosts.observe_host",
        "hosts.request_change",
        "hosts.send_evidence",
        "hosts.freeze_host",
        "hosts.add_requiredwarm",
        "hosts.change_requiredwarm",
        "hosts.delete_requiredwarm",
        "hygiene.add_protection",
        "hygiene.change_protection",
        "hygiene.delete_protection",
        "hygiene.add_budget",
        "hygiene.change_budget",
        "hygiene.delete_budget",
        "hygiene.add_productrepository",
        "hygiene.change_productrepository",
        "hygiene.delete_productrepository",
        "lanes.add_lane",
        "lanes.change_lane",
        "lanes.delete_lane",
        "lanes.add_lanegrant",
        "lanes.change_lanegrant",
        "lanes.delete_lanegrant",
        "schedule.change_schedule",
    ],
}


def ensure_groups(apps: Apps = installed, **_: Any) -> None:
    """Make the groups and give each its rights, as far as the permissions exist yet. Each right is given once."""
    try:
        group_model = apps.get_model("auth", "Group")
        permission_model = apps.get_model("auth", "Permission")
        given_model = apps.get_model("access", "GivenByDefault")
    except LookupError:
        return
    for name, rights in GROUPS.items():
        # rows, not `create` and `add`: nobody did this, so nobody is noted as having changed anybody's rights
        group_model.objects.bulk_create([group_model(name=name)], ignore_conflicts=True)
        group = group_model.objects.get(name=name)
        given = given_model.objects.filter(group_id=group.pk).values("permission_id")
        due = list(permission_model.objects.filter(_any_of(rights)).exclude(pk__in=given))
        links = group.permissions.through
        held = set(links.objects.filter(group_id=group.pk).values_list("permission_id", flat=True))
        new = [right for right in due if right.pk not in held]
        with transaction.atomic():
            links.objects.bulk_create(links(group_id=group.pk, permission_id=right.pk) for right in new)
            given_model.objects.bulk_create(given_model(group_id=group.pk, permission_id=right.pk) for right in due)
            if new and group.user_set.exists():
                _tell(name, new)


def _tell(group: str, new: list[Any]) -> None:
    """An upgrade gave people a right. It is on record, and counts against nobody: no person did it."""
    names = ", ".join(sorted(f"{right.content_type.app_label}.{right.codename}" for right in new))
    record.append(
        kind="access.rights",
        key=f"group {group}",
        status="completed",
        payload={"what": f"group {group}: given {names} by the installation"},
        actor=NOBODY.actor(),
        source=NOBODY.source,
    )


def _any_of(rights: list[str]) -> Q:
    wanted = Q()
    for right in rights:
        app, codename = right.split(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    return wanted
