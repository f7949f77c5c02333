"""The three groups and what they may do. Restored after every migration; rights that were added stay."""

from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps
from django.db.models import Q

READ = [
    "hosts.view_host",
    "hosts.view_requiredwarm",
    "hosts.view_contact",
    "hygiene.view_protection",
    "hygiene.view_budget",
    "hygiene.view_resource",
    "hygiene.view_snapshot",
    "hygiene.view_observationrun",
    "schedule.view_schedule",
    "audits.view_auditrecord",
    "changes.view_change",
    "changes.view_standingapproval",
    "changes.view_freeze",
]

GROUPS: dict[str, list[str]] = {
    "Auditors": [*READ, "access.view_user", "access.view_credentialchange"],
    "Approvers": [*READ, "hosts.approve_change", "hosts.freeze_host", "hosts.resolve_change"],
    "Operators": [
        *READ,
        "hosts.add_host",
        "hosts.change_host",
        "hosts.observe_host",
        "hosts.request_change",
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
        "schedule.change_schedule",
    ],
}


def ensure_groups(apps: Apps = installed, **_: Any) -> None:
    """Make the groups and give each its rights, as far as the permissions exist yet."""
    try:
        group_model = apps.get_model("auth", "Group")
        permission_model = apps.get_model("auth", "Permission")
        apps.get_model("access", "User")
    except LookupError:
        return
    for name, rights in GROUPS.items():
        # rows, not `create` and `add`: nobody did this, so nobody is noted as having changed anybody's rights
        group_model.objects.bulk_create([group_model(name=name)], ignore_conflicts=True)
        group = group_model.objects.get(name=name)
        wanted = Q()
        for name_of_right in rights:
            app, codename = name_of_right.split(".")
            wanted |= Q(content_type__app_label=app, codename=codename)
        links = group.permissions.through
        held = links.objects.filter(group_id=group.pk).values("permission_id")
        missing = permission_model.objects.filter(wanted).exclude(pk__in=held)
        new = (links(group_id=group.pk, permission_id=right.pk) for right in missing)
        links.objects.bulk_create(new, ignore_conflicts=True)
