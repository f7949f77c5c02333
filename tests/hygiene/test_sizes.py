"""Sizes as Docker's client writes them, and the text of its `system df`."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hygiene.contracts import DockerSummary, TypeSummary
from hygiene.parse.sizes import parse_df_lines, parse_size
from tests.client import human_size

SAMPLES = Path(__file__).parent / "samples"
NOTHING = DockerSummary(images=None, containers=None, volumes=None, build_cache=None)
LINES = """\
TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
Images          5         2         16.43 MB  11.63 MB (70%)
Containers      2         0         212 B     212 B (100%)
Local Volumes   2         1         36 B      0 B (0%)
Build Cache     4         0         8.163MB   8.163MB
"""


@pytest.mark.req("H5")
@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0B", 0),
        ("512B", 512),
        ("1kB", 1000),
        ("1KB", 1000),
        ("7.079MB", 7_079_000),
        ("12.1 GB", 12_100_000_000),
        ("2TB", 2_000_000_000_000),
        ("1.5PB", 1_500_000_000_000_000),
        ("9.223EB", 9_223_000_000_000_000_000),
        ("1KiB", 1024),
        ("1kiB", 1024),
        ("1.5MiB", 1_572_864),
        ("3GiB", 3 * 2**30),
        ("2TiB", 2 * 2**40),
        ("  4 kB ", 4000),
    ],
)
def test_a_size_is_read_with_its_unit(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.req("H5")
@pytest.mark.parametrize(
    "text",
    ["", "B", "12", "12 XB", "12mb", "-1B", "1.2.3MB", "1e3kB", "NaNB", "١B", "1B\n1B", "1iB", "9" * 40 + "B", "N/A"],
)
def test_what_is_no_size_is_none(text: str) -> None:
    assert parse_size(text) is None


@pytest.mark.req("H5")
@given(st.integers(0, 2**63 - 1))
@example(999)
@example(999_999)
@example(999_950)
@example(10**18)
def test_a_printed_size_is_read_back_within_its_printed_precision(size_bytes: int) -> None:
    read = parse_size(human_size(size_bytes))
    assert read is not None
    assert abs(read - size_bytes) <= size_bytes / 1999 + 0.5


@given(st.text(max_size=30))
def test_reading_a_size_never_raises(text: str) -> None:
    parse_size(text)


@pytest.mark.req("H5")
def test_the_lines_of_a_table_are_read() -> None:
    summary = parse_df_lines(LINES)
    assert summary.images == TypeSummary(count=5, active=2, size_bytes=16_430_000, reclaimable_bytes=11_630_000)
    assert summary.containers == TypeSummary(count=2, active=0, size_bytes=212, reclaimable_bytes=212)
    assert summary.volumes == TypeSummary(count=2, active=1, size_bytes=36, reclaimable_bytes=0)
    assert summary.build_cache == TypeSummary(count=4, active=0, size_bytes=8_163_000, reclaimable_bytes=8_163_000)


@pytest.mark.req("H5")
@pytest.mark.parametrize("name", ["df-1.41.txt", "df-1.41.format.txt"])
def test_what_a_real_client_printed_is_read(name: str) -> None:
    summary = parse_df_lines((SAMPLES / name).read_text())
    assert summary.images == TypeSummary(count=10, active=4, size_bytes=25_990_000, reclaimable_bytes=19_690_000)
    assert summary.volumes == TypeSummary(count=7, active=3, size_bytes=16_780_000, reclaimable_bytes=9_437_000)
    assert summary.reclaimable_bytes == 19_690_000 + 4_194_000 + 9_437_000 + 8_163_000


@pytest.mark.req("H4")
@pytest.mark.parametrize("missing", ["Images", "Containers", "Local Volumes", "Build Cache"])
def test_a_missing_line_leaves_its_type_and_the_sum_unknown(missing: str) -> None:
    text = "".join(line for line in LINES.splitlines(keepends=True) if not line.startswith(missing))
    summary = parse_df_lines(text)
    known = [summary.images, summary.containers, summary.volumes, summary.build_cache]
    assert known.count(None) == 1
    assert summary.reclaimable_bytes is None


@pytest.mark.req("H4")
def test_a_type_with_two_lines_is_unknown() -> None:
    assert parse_df_lines(f"{LINES}Images 1 1 1B 1B\n").images is None


@pytest.mark.req("H4")
@pytest.mark.parametrize(
    "line",
    [
        "Images 5 2 16.43MB",
        "Images five 2 16.43MB 0B (0%)",
        "Images 5 2 16.43MB lots (70%)",
        "Images -1 2 16.43MB 0B (0%)",
        "Images 5 2 16.43MB 0B (70%) and more",
        "Images",
    ],
)
def test_a_line_that_cannot_be_read_leaves_its_type_unknown(line: str) -> None:
    assert parse_df_lines(line) == NOTHING


@pytest.mark.req("H4")
@given(st.text() | st.lists(st.sampled_from(LINES.splitlines()), max_size=3).map("\n".join))
def test_text_without_all_four_lines_never_has_a_sum(text: str) -> None:
    assert parse_df_lines(text).reclaimable_bytes is None
