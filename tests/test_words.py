"""Values as people read them."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchplane import words
from launchplane.web.templatetags import web as tags

NOW = datetime(2026, 3, 12, 14, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (331_590_270_976, "331.6 GB"),
        (148_520_000_000, "148.5 GB"),
        (9_097_000, "9.097 MB"),
        (-5_000_000, "−5 MB"),
        (7 * 10**21, "7000 EB"),
    ],
)
def test_bytes_are_written_as_the_docker_client_does(value: int, shown: str) -> None:
    assert words.human_bytes(value) == shown


@pytest.mark.req("H7")
def test_what_was_not_measured_is_said_and_a_measured_zero_is_zero() -> None:
    assert "not measured" in tags.bytes_(None)
    assert "0 B" in tags.bytes_(0)
    assert "not measured" not in tags.bytes_(0)


def test_a_newline_an_escape_and_a_direction_override_become_visible() -> None:
    assert words.printable("a\nb\x1b[31m\u202ec\x7f\x85") == "a⟨LF⟩b⟨ESC⟩[31m⟨U+202E⟩c⟨U+007F⟩⟨U+0085⟩"


@given(st.text())
def test_nothing_printable_can_break_a_line_or_hide(text: str) -> None:
    shown = words.printable(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert len(shown.splitlines()) <= 1


def test_a_digest_is_shortened_in_the_middle_and_whole_when_copied() -> None:
    digest = "sha256:9f31c2" + "0" * 54 + "a07e"
    html = tags.id_(digest)
    assert f'title="{digest}"' in html
    assert f'9f31c2<span class="mid">{"0" * 54}</span>a07e' in html


def test_a_name_is_not_taken_for_a_digest() -> None:
    assert tags.id_("odoo-docker:18-nightly") == "<code>odoo-docker:18-nightly</code>"


def test_markup_in_a_name_is_escaped() -> None:
    assert "<script>" not in tags.id_("<script>alert(1)</script>")


def test_a_very_long_name_is_cut_and_whole_on_hover() -> None:
    html = tags.id_("x" * 4096)
    assert "x" * 4096 in html
    assert "x" * 200 + "…</code>" in html


@pytest.mark.parametrize(
    ("ago", "shown"),
    [
        (timedelta(seconds=2), "just now"),
        (timedelta(seconds=40), "40 s ago"),
        (timedelta(minutes=2, seconds=50), "2 min ago"),
        (timedelta(hours=25), "25 h ago"),
        (timedelta(days=12), "12 days ago"),
        (timedelta(days=100), "2 Dec 2025"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_ages_are_in_the_largest_sensible_unit(ago: timedelta, shown: str) -> None:
    assert words.human_age(NOW - ago, NOW) == shown


def test_an_age_carries_the_exact_time() -> None:
    assert 'datetime="2026-03-12T14:02:11+00:00" title="2026-03-12 14:02:11 UTC"' in tags.age(NOW)


def test_details_of_any_shape_are_harmless() -> None:
    assert tags.detail(True) == "yes"
    assert tags.detail(()) == "none"
    assert "not measured" in tags.detail(None)
    assert tags.detail(("<b>", "a\nb")) == '<code class="line">&lt;b&gt;</code><code class="line">a⟨LF⟩b</code>'
    assert tags.detail([{"kind": "volume", "source": "x"}]) == '<code class="line">kind: volume, source: x</code>'


def test_a_label_called_items_does_not_hide_the_others() -> None:
    assert tags.pairs({"items": "1", "other": "2"}) == [("items", "1"), ("other", "2")]
