"""The freezes that a person may know of: the one of everything, and those of hosts that they may see."""

from launchplane.access.models import User
from launchplane.access.rights import visible
from launchplane.changes.models import Freeze
from launchplane.hosts.models import Host


def freezes_seen_by(user: User) -> list[Freeze]:
    """In force now, that of everything first. One query as long as no host is frozen."""
    found = list(Freeze.objects.filter(lifted_at=None).select_related("host").order_by("host__name"))
    keys = [row.host_id for row in found if row.host_id is not None]
    seen = (
        set(visible(user, "hosts.view_host", Host.objects.filter(pk__in=keys)).values_list("pk", flat=True))
        if keys
        else set()
    )
    return [row for row in found if row.host_id is None or row.host_id in seen]
