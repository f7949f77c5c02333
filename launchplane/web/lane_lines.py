"""What the first page says of lanes: how many there are, and which of them GitHub does not show online."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from lanes.models import Lane, LaneContact
from launchplane.hosts.models import Host
from launchplane.web.lane_words import OLD_AFTER

SHOWN = 10
ONLINE = "online"


@dataclass(frozen=True, slots=True)
class LaneLine:
    """A lane, and the last span of looks that saw it online or offline; None if no look ever did."""

    name: str
    host: str
    tone: str
    word: str
    contact: LaneContact | None


@dataclass(frozen=True, slots=True)
class LaneLines:
    """All lanes counted by what the last look said of each; `rest` are the first of those that are not online."""

    total: int
    online: int
    rest: tuple[LaneLine, ...]

    @property
    def more(self) -> int:
        return self.total - self.online - len(self.rest)


def lane_lines(hosts: Sequence[Host], *, now: datetime) -> LaneLines:
    """Of the lanes on `hosts`: two queries, however many there are. A look of long ago makes nothing online."""
    newest = LaneContact.objects.filter(lane=OuterRef("pk")).order_by("-since", "-pk").values("pk")[:1]
    lanes = list(
        Lane.objects.filter(host__in=hosts)
        .annotate(newest=Subquery(newest))
        .values_list("name", "host__name", "newest", "agent_id")
        .order_by("name")
    )
    contacts = LaneContact.objects.in_bulk([contact for _, _, contact, _ in lanes if contact is not None])
    lines = [
        _line(name, host, contacts.get(contact), now, registered=agent is not None)
        for name, host, contact, agent in lanes
    ]
    rest = [line for line in lines if line.word != ONLINE]
    return LaneLines(len(lines), len(lines) - len(rest), tuple(rest[:SHOWN]))


def _line(name: str, host: str, contact: LaneContact | None, now: datetime, *, registered: bool) -> LaneLine:
    if contact is None:
        tone, word = ("unsure", "never seen") if registered else ("", "not made yet")
        return LaneLine(name, host, tone, word, None)
    if not contact.until <= now <= contact.until + OLD_AFTER:
        return LaneLine(name, host, "unsure", "not looked at lately", contact)
    return LaneLine(name, host, *(("good", ONLINE) if contact.online else ("bad", "offline")), contact)
