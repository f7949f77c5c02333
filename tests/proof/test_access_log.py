"""What a registry's access log tells of manifest checks, and what is left of the budget for them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.proof.access_log import AccessLog, budget_of, parsed
from launchplane.problems import Problem, Waits

NOW = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)
AGENT = '"" "docker/20.10.24+dfsg1 go/go1.19.8 os/linux arch/amd64"'


def line(request: str, *, at: datetime = NOW, status: int = 200) -> str:
    return f'127.0.0.1 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "{request} HTTP/1.1" {status} 949 {AGENT}'


@pytest.mark.req("P26")
@pytest.mark.parametrize(
    ("request_line", "status", "is_check"),
    [
        ("HEAD /v2/proof/app/manifests/1", 200, True),
        ("GET /v2/proof/app/manifests/sha256:a32f", 200, True),
        ("GET /v2/proof/app/manifests/1?ns=docker.io", 200, True),
        ("GET /v2/proof/app/manifests/1", 429, True),
        ("PUT /v2/proof/app/manifests/1", 201, False),
        ("GET /v2/proof/app/blobs/sha256:1cd8", 200, False),
        ("GET /v2/_catalog", 200, False),
    ],
)
def test_asking_for_a_manifest_is_a_check_whatever_the_answer(request_line: str, status: int, is_check: bool) -> None:
    (asked,) = parsed([line(request_line, status=status)])

    assert asked.is_manifest_check == is_check


@pytest.mark.parametrize(("status", "is_blob"), [(200, True), (307, True), (404, False)])
def test_a_blob_that_was_fetched_is_told_from_one_that_was_not_there(status: int, is_blob: bool) -> None:
    (asked,) = parsed([line("GET /v2/proof/app/blobs/sha256:1cd8", status=status)])

    assert (asked.is_blob, asked.is_manifest_check) == (is_blob, False)


@given(st.lists(st.text(max_size=200)))
def test_lines_of_any_other_kind_are_passed_over(lines: list[str]) -> None:
    good = line("HEAD /v2/a/manifests/1")

    assert len([one for one in parsed([*lines, good]) if one.is_manifest_check]) >= 1


def test_a_line_with_an_impossible_time_is_passed_over() -> None:
    assert parsed([line("HEAD /v2/a/manifests/1").replace("21/Nov", "99/Foo")]) == []


@pytest.mark.req("P26")
def test_only_checks_within_the_window_count() -> None:
    times = [NOW - timedelta(hours=7), NOW - timedelta(hours=6), NOW - timedelta(hours=5, minutes=59), NOW]
    asked = parsed(line("HEAD /v2/a/manifests/1", at=at) for at in times)

    budget = budget_of(asked, NOW, limit=200, window_seconds=6 * 3600)

    assert (budget.counted, budget.left) == (2, 198)


@pytest.mark.req("P26")
def test_more_checks_than_allowed_leave_none() -> None:
    asked = parsed([line("HEAD /v2/a/manifests/1")] * 3)

    assert budget_of(asked, NOW, limit=2, window_seconds=60).left == 0


@pytest.mark.req("P26")
def test_the_limit_is_200_in_six_hours_unless_said_otherwise(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(line("HEAD /v2/a/manifests/1") + "\n")

    budget = AccessLog(tmp_path / "log").budget(NOW)

    assert (budget.limit, budget.window_seconds, budget.counted, budget.left) == (200, 21600, 1, 199)


@pytest.mark.req("P26")
def test_with_nothing_left_it_waits(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(line("HEAD /v2/a/manifests/1") + "\n")

    with pytest.raises(Waits, match="1 manifest checks in 6 h are all that the registry allows"):
        AccessLog(tmp_path / "log", limit=1).require_left(NOW)


def test_a_log_that_cannot_be_read_is_no_log_without_checks(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="No check can be counted"):
        AccessLog(tmp_path / "none").asked()
