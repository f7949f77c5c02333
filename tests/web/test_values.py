"""Values as pages write them: no dictionaries, no ids at full length, no number without its unit."""

import html
import re
from typing import Any

import pytest

from launchplane.web.templatetags.audit import readable
from launchplane.web.templatetags.changes import item_name, named, plain_name, stays
from launchplane.web.templatetags.web import prose

ID = "sha256:" + "9f31c2" * 10 + "a07e"
CHANGE = "90955e3d-0572-40f5-9b6a-de475defb02a"
ENGINE = ":".join(["5Y6Z", *["ABCD"] * 10, "PJTC"])


def plain(shown: object) -> str:
    """As it is read: lines by `/`, what is only there for copying left out."""
    text = re.sub(r'<span class="mid">[^<]*</span>', "…", str(shown))
    text = re.sub(r'<span class="line">', "/ ", text)
    return html.unescape(re.sub(r"<[^>]*>", " ", text)).replace("\u202f", " ")


def words(shown: object) -> str:
    return re.sub(r" (?=[,.)])|(?<=[(]) ", "", " ".join(plain(shown).split()))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("max_bytes", 4_400_000_000, "4.4 GB"),
        ("max_bytes", None, "no limit"),
        ("size_bytes", None, "not measured"),
        ("min_age_seconds", 1_209_600, "14 days"),
        ("pressure_percent", 80, "80 %"),
        ("items", 1234, "1 234"),
        ("protected", True, "yes"),
        ("window", "", "none"),
        ("tags", [], "none"),
        ("tags", ["a:1", "b:2"], "a:1, b:2"),
        ("created_at", "2026-01-08T10:30:00+00:00", "2026-01-08 10:30 UTC"),
        ("created_at", "yesterday", "yesterday"),
        ("id", ID, "sha256:9f31c2…a07e"),
        ("budgets", {}, "none"),
        (
            "budgets",
            {"build_cache": {"max_bytes": 1000, "min_age_seconds": 0}, "images": {"max_bytes": None}},
            "/ build cache: max 1 kB, min age 0 s / images: max no limit",
        ),
        ("builders", [{"name": "ci0", "cache_bytes": 4_000_000}], "/ name ci0, cache 4 MB"),
    ],
)
def test_a_value_is_written_by_what_its_name_says(name: str, value: Any, said: str) -> None:
    assert words(named(value, name)) == said


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (
            f"The engine is the one that was added ({ENGINE}).",
            "The engine is the one that was added (5Y6Z:ABC…PJTC).",
        ),
        (f"A newer plan is {CHANGE}.", "A newer plan is 90955e3d…b02a."),
        (f"{ID} is gone", "sha256:9f31c2…a07e is gone"),
        ("Run `manage.py audits verify`.", "Run manage.py audits verify."),
        ("a ` alone, and <b>\u202e", "a ` alone, and <b>⟨U+202E⟩"),
    ],
)
def test_a_sentence_has_its_ids_shortened_and_its_code_as_code(sentence: str, said: str) -> None:
    assert words(prose(sentence)) == said


def test_what_is_shortened_is_whole_when_it_is_copied() -> None:
    assert "".join(re.sub(r"<[^>]*>", "", str(prose(f"is {CHANGE}.")))) == f"is {CHANGE}."


def test_a_protection_says_why_before_it_says_by_which_pattern() -> None:
    assert words(stays("any (?i)runner: state of a CI runner")) == "state of a CI runner any (?i)runner"
    assert words(stays("required warm builder ci0")) == "required warm builder ci0"


def test_a_description_is_no_code_and_a_name_is() -> None:
    assert "<code" not in item_name("the engine's build cache")
    assert "<code" in item_name("shop/web:1.4")


def test_names_that_do_not_explain_themselves_are_explained() -> None:
    assert plain_name("freed · by_df_bytes") == "freed, as Docker counts"
    assert plain_name("disk · used_bytes") == "disk · used"


def test_what_a_record_has_nothing_for_is_none_and_a_size_was_not_measured() -> None:
    assert words(readable({"halted": None, "freed_bytes": None})) == "Halted none Freed not measured"


def test_a_record_is_folded_where_it_has_many_parts() -> None:
    said = {"about": "ended", "freed": {"by_df_bytes": 1000}, "facts": {"disk": {"path": "/"}, "steps": [{"n": 1}]}}
    shown = str(readable(said))
    assert shown.count("<details>") == 2
    assert "<summary>disk, steps</summary>" in shown
    assert "/ by df: 1 kB" in words(shown)
