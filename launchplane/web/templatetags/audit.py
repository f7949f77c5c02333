"""Template tags for audit records: how they ended, and what they say, whatever shape that has."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from audits.models import AuditRecord
from launchplane import words
from launchplane.changes.kinds import kind_named
from launchplane.web.templatetags.changes import named, plain_name
from launchplane.web.templatetags.web import in_lines, shortened, state

register = template.Library()

Status = AuditRecord.Status
TONES = {Status.PLANNED: "wait", Status.COMPLETED: "good", Status.FAILED: "bad", Status.SKIPPED: ""}
SHOWN_ENTRIES = 50
SHORT, LONGEST_SUMMARY = 6, 80
WHAT = {
    "access.denied": "Login, password or right refused",
    "access.account": "Account changed",
    "access.created": "Account made",
    "access.groups": "Groups changed",
    "access.password": "Password set",
    "access.rights": "Rights changed",
    "change.approved": "Approved",
    "change.cancelled": "Cancelled",
    "change.denied": "Refused",
    "change.expired": "Closed: nobody acted in time",
    "change.in_doubt": "In doubt",
    "change.ordered": "Ordered to be applied now",
    "change.rejected": "Rejected",
    "change.requested": "Approval asked for",
    "change.restored": "Ended before a restore",
    "change.revoked": "Approval taken back",
    "change.superseded": "Replaced by a newer one",
    "edit.budget": "Budget edited",
    "edit.host": "Host edited",
    "edit.lane": "Lane edited",
    "edit.lanegrant": "Lane grant edited",
    "edit.protection": "Protection edited",
    "edit.requiredwarm": "Requirement edited",
    "edit.schedule": "Schedule edited",
    "evidence.adopted": "New evidence folder begun",
    "evidence.denied": "Answer for lost evidence refused",
    "freeze.off": "Freeze lifted",
    "freeze.on": "Freeze",
    "hygiene.evidence": "Evidence from outside: clean-up",
    "hygiene.regret": "Something removed is back",
    "lane.evidence": "Evidence from outside: lane",
    "restore.accepted": "Restored database accepted",
}
GROUPS_OF_KINDS = {
    "access": "Access: {}",
    "change": "Change: {}",
    "edit": "Edited: {}",
    "freeze": "Freeze: {}",
    "standing": "Standing approval: {}",
}


@register.filter
def audit_state(status: str) -> SafeString:
    """How it ended, as word, shape and colour."""
    return state(TONES.get(Status(status), "unsure"), status) if status in Status.values else state("unsure", status)


@register.filter
def what_happened(row: AuditRecord) -> str:
    """The kind of a record as people say it; the kind itself stands beside it."""
    if row.kind in WHAT:
        return WHAT[row.kind]
    if (kind := kind_named(row.kind)) is not None:
        return kind.title
    group, _, rest = row.kind.partition(".")
    plain = words.printable(rest or group).replace("_", " ").replace(".", " ")
    return GROUPS_OF_KINDS[group].format(plain) if group in GROUPS_OF_KINDS else words.printable(row.kind)


@register.filter
def short_key(key: str) -> SafeString:
    """A key, which is often a change's number: shortened in the middle, whole on hover and when copied."""
    shown = words.printable(key)
    if len(shown) <= 24 or " " in shown:
        return format_html("<code>{}</code>", shown)
    return shortened(shown, head=8)


@register.filter
def readable(said: Mapping[str, Any]) -> SafeString | str:
    """What a record says: names and values one under the other, as deep as it goes; long lists are cut, and say so."""
    pairs = ((_title(name), _value(value, name)) for name, value in said.items())
    inner = format_html_join("\n", "<dt>{}</dt><dd>{}</dd>", pairs)
    return format_html('<dl class="pairs">{}</dl>', inner) if said else "none"


def _value(value: Any, name: str) -> SafeString | str:
    """What is short stands there; what has many parts of its own is folded."""
    if isinstance(value, Mapping):
        return named(value, name) if _is_short(value) else _folded(value)
    if isinstance(value, list | tuple) and any(isinstance(each, Mapping | list | tuple) for each in value):
        return _entries(value, name)
    if isinstance(value, list | tuple) and len(value) > 1:
        return format_html("{}{}", in_lines(value[:SHOWN_ENTRIES]), _rest(value))
    return "none" if value is None and not name.endswith("_bytes") else named(value, name)


def _is_short(values: Mapping[str, Any]) -> bool:
    return len(values) <= SHORT and not any(isinstance(value, Mapping | list | tuple) for value in values.values())


def _folded(values: Mapping[str, Any]) -> SafeString:
    names = ", ".join(plain_name(name) for name in values)
    summary = names if len(names) <= LONGEST_SUMMARY else f"{names[:LONGEST_SUMMARY]}…"
    return format_html("<details><summary>{}</summary>{}</details>", summary, readable(values))


def _entries(values: Sequence[Any], name: str) -> SafeString:
    inner = format_html_join("\n", "<li>{}</li>", ((_entry(each, name),) for each in values[:SHOWN_ENTRIES]))
    pattern = "<details><summary>{} {}</summary><ol>{}</ol>{}</details>"
    return format_html(pattern, words.human_count(len(values)), plain_name(name), inner, _rest(values))


def _entry(value: Any, name: str) -> SafeString | str:
    return readable(value) if isinstance(value, Mapping) else _value(value, name)


def _rest(values: Sequence[Any]) -> SafeString | str:
    if len(values) <= SHOWN_ENTRIES:
        return ""
    return format_html('<span class="why">The first {} of {}.</span>', SHOWN_ENTRIES, words.human_count(len(values)))


def _title(name: str) -> str:
    plain = plain_name(name)
    return plain[:1].upper() + plain[1:]
