"""What every page says around its own matter: where one is, that an engine is a sandbox, that workers are silent."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from launchplane.access.rights import visible
from launchplane.changes.eyes import is_solo
from launchplane.hosts.models import Host
from launchplane.schedule.heartbeat import silent_queues
from launchplane.web.freezes import freezes_seen_by


def frame(request: HttpRequest) -> dict[str, Any]:
    """`in_sandbox`, `silent` (names of worker queues), `freezes` and `solo`; nothing for who is not logged in."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"in_sandbox": False, "silent": []}
    sandboxes = Host.objects.filter(is_sandbox=True)
    freezes = freezes_seen_by(user)
    return {
        "in_sandbox": visible(user, "hosts.view_host", sandboxes).exists(),
        "silent": silent_queues(timezone.now()),
        "freezes": freezes,
        "all_frozen": any(row.host_id is None for row in freezes),
        "solo": is_solo(),
    }
