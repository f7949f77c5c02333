"""Template tags for changes: states, what must still hold, values by their name, digests that can be compared."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from launchplane import words
from launchplane.changes.contracts import Gate
from launchplane.changes.kinds import kind_named
from launchplane.changes.models import Change, PlanRun, StandingApproval
from launchplane.changes.models.change import Status
from launchplane.web.templatetags.web import bytes_, detail, id_, seconds, shortened, state

register = template.Library()

STATES = {
    Status.BLOCKED: ("bad", "blocked"),
    Status.PLANNED: ("", "planned, not asked for"),
    Status.AWAITING_APPROVAL: ("wait", "waits for approval"),
    Status.APPROVED: ("wait", "approved"),
    Status.APPLYING: ("wait", "being applied"),
    Status.IN_DOUBT: ("bad", "in doubt"),
    Status.COMPLETED: ("good", "completed"),
    Status.FAILED: ("bad", "failed"),
}
PLAN_RUNS = {
    PlanRun.Status.QUEUED: "wait",
    PlanRun.Status.RUNNING: "wait",
    PlanRun.Status.DONE: "good",
    PlanRun.Status.FAILED: "bad",
    PlanRun.Status.LOST: "bad",
}
# a bound that is not there was not forgotten: what that means
BOUNDS = {"max_bytes": "no limit", "max_lanes": "none is granted"}
# names of evidence that do not explain themselves
SAID = {
    "docker_bytes": "all that Docker counts",
    "freed · by_deleted_bytes": "freed, as the removed items add up",
    "freed · by_df_bytes": "freed, as Docker counts",
    "freed · by_disk_bytes": "freed, as the file system counts",
    "freed · disagree": "whether the counts disagree",
    "freed · in_words": "in words",
    "observed_at": "when it was looked at",
    "snapshot": "number of the snapshot",
}
OUTCOMES = {"done": "good", "gone": "good", "skipped": "", "raced": "warn", "failed": "bad", "unknown": "unsure"}
GATES = {"open": "good", "closed": "bad", "unknown": "unsure"}


@register.filter
def change_state(change: Change) -> SafeString:
    """How a change stands, as word, shape and colour."""
    if change.status == Status.CLOSED:
        return state("", f"closed: {change.get_why_closed_display()}")
    return state(*STATES[Status(change.status)])


@register.filter
def standing_state(row: StandingApproval) -> SafeString:
    """How a standing approval stands."""
    if row.ended_at is not None:
        return state("", row.get_ended_display())
    if row.expires_at <= timezone.now():
        return state("", "expired")
    if row.granted_at is None:
        return state("wait", "waits for a decision")
    return state("warn", "suspended") if row.suspended_at else state("good", "in force")


@register.filter
def plan_run_state(run: PlanRun) -> SafeString:
    """How far a planning is."""
    return state(PLAN_RUNS[PlanRun.Status(run.status)], run.get_status_display())


@register.filter
def asked_items(run: PlanRun) -> list[dict[str, str]]:
    """Kind and key of each item that was named; nothing for a routine."""
    named_items = (str(item).partition(":") for item in json.loads(run.asked).get("items", ()))
    return [{"kind": kind, "key": key} for kind, _, key in named_items]


@register.filter
def outcome(step: Any) -> SafeString:
    """What became of an item."""
    if not step.outcome:
        return state("wait", "in hand") if step.intent_at else state("", "not begun")
    return state(OUTCOMES[step.outcome], step.get_outcome_display())


@register.filter
def gate_state(gate: Gate, waived: Collection[str] = ()) -> SafeString:
    """Open, closed or unknown; without alarm where it holds nothing back."""
    return state("" if gate.name in waived and not gate.is_open else GATES[gate.state], gate.state)


@register.filter
def kind_title(name: str) -> str:
    """The title of a kind, or its name if it is not installed."""
    kind = kind_named(name)
    return kind.title if kind else name


@register.filter
def verb(value: str) -> str:
    """ "remove-image" as people write it."""
    return value.replace("-", " ")


@register.filter
def digest(value: str) -> SafeString:
    """The first twelve digits, in groups to be compared by eye; whole on hover."""
    head = " ".join(value[at : at + 4] for at in range(0, 12, 4))
    return format_html('<code title="{}">{}</code>', value, head)


@register.filter
def short_number(value: UUID) -> SafeString:
    """The number of a change, shortened in the middle; whole on hover and when copied."""
    return shortened(str(value), head=8)


@register.filter
def time_left(deadline: datetime) -> SafeString:
    """Hours and minutes until then, with the exact time on hover."""
    minutes = int((deadline - timezone.now()).total_seconds()) // 60
    shown = "no time: it has run out" if minutes < 0 else f"{minutes // 60} h {minutes % 60} min"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>', deadline.isoformat(), f"{deadline:%Y-%m-%d %H:%M}", shown
    )


@register.filter
def must_hold(expected: Mapping[str, Any]) -> SafeString:
    """The preconditions of an item, one under the other."""
    pairs = ((_plain_name(name), named(value, name)) for name, value in expected.items())
    return format_html_join("", '<span class="line">{}: {}</span>', pairs)


@register.filter
def named(value: Any, name: str) -> SafeString | str:
    """A value by what its name says of it: bytes, seconds, percent, a time, an id; what has parts, part by part."""
    last = name.rpartition(" · ")[2]
    if isinstance(value, int) and not isinstance(value, bool):
        return _number(value, last)
    if isinstance(value, str):
        return _text(value, last) if value else "none"
    if isinstance(value, Mapping | list | tuple):
        return _parts(value, last) or "none"
    return BOUNDS[last] if value is None and last in BOUNDS else detail(value)


def _parts(value: Mapping[str, Any] | Sequence[Any], name: str) -> SafeString:
    """Names side by side; whatever has parts itself on a line of its own."""
    if isinstance(value, Mapping):
        pairs = ((_plain_name(each), _in_short(inner, each)) for each, inner in value.items())
        return format_html_join("", '<span class="line">{}: {}</span>', pairs)
    if all(isinstance(each, str) for each in value):
        return format_html_join(", ", "{}", ((id_(each),) for each in value))
    return format_html_join("", '<span class="line">{}</span>', ((_in_short(each, name),) for each in value))


def _in_short(value: Any, name: str) -> SafeString | str:
    """What is a part of something else, on one line: `max 50 GB, min age 7 days`."""
    if isinstance(value, Mapping):
        pairs = ((_plain_name(each), _in_short(inner, each)) for each, inner in value.items())
        return format_html_join(", ", "{} {}", pairs)
    return named(value, name)


def _number(value: int, name: str) -> SafeString | str:
    if name.endswith("_bytes"):
        return bytes_(value)
    if name.endswith("_percent"):
        return f"{value} %"
    return seconds(value) if name.endswith("_seconds") else words.human_count(value)


@register.filter
def item_name(value: str) -> SafeString | str:
    """An item as it is called: a name or an id in monospace; a description as the words that it is."""
    return words.printable(value) if " " in value else id_(value)


@register.filter
def stays(protection: str) -> SafeString:
    """What is protected: first why, as people say it; then by which pattern."""
    pattern, colon, why = protection.partition(": ")
    if not colon:
        return format_html("{}", words.printable(protection))
    return format_html('{}<span class="why"><code>{}</code></span>', words.printable(why), words.printable(pattern))


@register.filter
def plain_name(name: str) -> str:
    """The name of a value as people write it."""
    if name in SAID:
        return SAID[name]
    return " · ".join(_plain_name(part) for part in name.split(" · "))


def _plain_name(name: str) -> str:
    plain = words.printable(name)
    for unit in ("_bytes", "_seconds", "_percent"):
        plain = plain.removesuffix(unit)
    return plain.replace("_", " ")


def _text(value: str, name: str) -> SafeString | str:
    if name.endswith("_at"):
        try:
            return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M} UTC"
        except ValueError:
            return words.printable(value)
    return words.printable(value) if " " in value else id_(value)
