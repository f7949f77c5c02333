"""The three groups and what they may do. Restored after every migration; rights that were added stay."""

from typing import Any

from django.apps import apps as installed
from django.apps.registry import Apps

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
]

GROUPS: dict[str, list[str]] = {
    "Auditors": [*READ, "access.view_user"],
    "Approvers": READ,
    "Operators": [
        *READ,
        "hosts.add_host",
        "hosts.change_host",
        "hosts.observe_host",
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
        group, _made = group_model.objects.get_or_create(name=name)
        for right in rights:
            app, codename = right.split(".")
            found = permission_model.objects.filter(content_type__app_label=app, codename=codename)
            group.permissions.add(*found)
