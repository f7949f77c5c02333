"""Template tags: values with their unit, ids that can be copied whole, ages with the exact time, states."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hygiene.contracts import Class, Confidence
from hygiene.fields import field_words
from launchplane import words

register = template.Library()

LONGEST_NAME = 200
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# twelve groups of four, as engines name themselves
ENGINE_ID = re.compile(r"[A-Z0-9]{4}(?::[A-Z0-9]{4}){11}")
DIGEST = r"(?:sha256:)?\b[0-9a-f]{64}\b"
PIECES = re.compile(rf"(`[^`]+`|{UUID.pattern}|{ENGINE_ID.pattern}|{DIGEST})")

register.filter("printable", words.printable)
register.filter("count", words.human_count)
register.filter("field_words", field_words)
register.filter("milliseconds", words.human_milliseconds)

CLASSES = {
    Class.PROTECTED: ("good", "protected"),
    Class.IN_USE: ("wait", "in use"),
    Class.KEPT: ("", "kept"),
    Class.CANDIDATE: ("warn", "could go"),
    Class.UNKNOWN: ("unsure", "unknown"),
}

CONFIDENCE = {
    Confidence.EVENT: "seen as it happened",
    Confidence.POLLED: "seen between two observations",
    Confidence.GAP: "uncertain: events were lost in between",
    Confidence.NEVER_SEEN: "never seen in use since this host was added",
}


@register.filter("bytes")
def bytes_(value: int | None) -> SafeString:
    """331.6 GB, with the exact number on hover; None is "not measured"."""
    if value is None:
        return format_html('<span class="unmeasured">{}</span>', words.NOT_MEASURED)
    return format_html('<span title="{} bytes">{}</span>', words.human_count(value), words.human_bytes(value))


@register.filter
def measured(value: object) -> object:
    """`value`, or "not measured" when there is none."""
    return format_html('<span class="unmeasured">{}</span>', words.NOT_MEASURED) if value is None else value


@register.filter("id")
def id_(value: str) -> SafeString:
    """Monospace; a long digest is shortened in the middle, whole on hover and when copied; very long text is cut."""
    parts = words.id_parts(value)
    if parts is not None:
        head, middle, tail = (words.printable(part) for part in parts)
        pattern = '<code class="id" title="{}">{}<span class="mid">{}</span>{}</code>'
        return format_html(pattern, head + middle + tail, head, middle, tail)
    shown = words.printable(value)
    if len(shown) > LONGEST_NAME:
        return format_html('<code title="{}">{}…</code>', shown, shown[:LONGEST_NAME])
    return format_html("<code>{}</code>", shown)


@register.filter
def prose(value: object) -> SafeString:
    """A sentence: what stands in it `as code` is code, and long ids are shortened in the middle."""
    text = words.printable(value)
    return format_html_join("", "{}", ((_piece(piece),) for piece in PIECES.split(text)))


def _piece(piece: str) -> SafeString | str:
    if len(piece) > 2 and piece[0] == piece[-1] == "`":
        return format_html("<code>{}</code>", piece[1:-1])
    if UUID.fullmatch(piece) or ENGINE_ID.fullmatch(piece):
        return shortened(piece, head=8)
    return id_(piece) if words.id_parts(piece) is not None else piece


def shortened(value: str, *, head: int) -> SafeString:
    """Monospace, its first `head` and last four characters; whole on hover and when copied."""
    pattern = '<code class="id" title="{}">{}<span class="mid">{}</span>{}</code>'
    return format_html(pattern, value, value[:head], value[head:-4], value[-4:])


@register.filter
def age(moment: datetime | None) -> SafeString | str:
    """How long ago, with the exact time on hover."""
    if moment is None:
        return "never"
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(),
        f"{moment:%Y-%m-%d %H:%M:%S}",
        words.human_age(moment, timezone.now()),
    )


@register.filter
def seconds(value: int | None) -> str:
    """A length of time: 30 days."""
    return words.NOT_MEASURED if value is None else words.human_duration(timedelta(seconds=value))


@register.filter
def verdict(cls: Class) -> SafeString:
    """The class of a resource as word, shape and colour."""
    return state(*CLASSES[cls])


@register.filter
def class_word(cls: Class) -> str:
    """The word alone, for lists to choose from."""
    return CLASSES[cls][1]


@register.filter
def confidence(level: Confidence) -> str:
    """How a last use is known, in words."""
    return CONFIDENCE[level]


@register.filter
def kind_word(kind: str) -> str:
    """ "build_cache" as people write it."""
    return str(kind).replace("_", " ")


@register.simple_tag
def state(tone: str, word: str) -> SafeString:
    """A state: the word, with the shape and the colour of its tone."""
    return format_html('<span class="state{}">{}</span>', f" {tone}" if tone else "", word)


@register.filter
def in_lines(values: Iterable[object]) -> SafeString:
    """A list of texts from a host, one under the other, harmless whatever they hold."""
    return format_html_join("", '<code class="line">{}</code>', ((words.printable(value),) for value in values))


@register.filter
def pairs(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The items of a mapping; `.items` in a template would find a label of that name first."""
    return list(values.items())


@register.filter
def detail(value: object) -> SafeString | str:
    """A value of whatever shape: lists one under the other, yes and no, "not measured" for none."""
    if value is None:
        return format_html('<span class="unmeasured">{}</span>', words.NOT_MEASURED)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return in_lines([f"{name}: {each}" for name, each in value.items()]) or "none"
    if isinstance(value, list | tuple):
        return in_lines([_one_line(each) for each in value]) or "none"
    return words.printable(value)


def _one_line(value: object) -> str:
    """An entry of a list: a mapping as "name: value" pairs."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {each}" for name, each in value.items())
    return str(value)


@register.simple_tag(takes_context=True)
def with_query(context: dict[str, Any], **changes: object) -> str:
    """This page's query string with `changes`; an empty value takes a parameter out."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"
