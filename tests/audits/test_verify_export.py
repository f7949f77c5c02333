"""Whatever is done to an export is found, and the first bad record is named: by us, and offline without us."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from audits import segments
from audits.export import export
from audits.verify_export import verify_export
from tests.audits.making import a_record

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_audit.py"
RECORDS = 9


@pytest.fixture
def exported(db: None) -> list[bytes]:
    """The lines of an export of nine records."""
    for number in range(RECORDS):
        a_record(key=f"change-{number}", payload={"name": "nächtlich 😀", "bytes": number})
    return list(export())


def script(lines: list[bytes], *notes: str, folder: Path) -> tuple[int, str]:
    """What the offline script says of an export, run by itself in an empty environment."""
    file = folder / "export.ndjson"
    file.write_bytes(b"".join(lines))
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), str(file), *notes], capture_output=True, text=True, env={}, check=False
    )
    return done.returncode, done.stdout + done.stderr


def swap(lines: list[bytes], one: int, other: int) -> list[bytes]:
    return [{one: lines[other], other: lines[one]}.get(number, line) for number, line in enumerate(lines)]


def rewritten(line: bytes, **changes: Any) -> bytes:
    """A record's line with other fields and a hash that fits, as somebody who knows how it is done would write it."""
    from audits import chain
    from audits.contracts import Record

    record = Record.model_validate_json(line).model_copy(update=changes)
    record = record.model_copy(update={"payload_hash": chain.sha256(record.payload)})
    return segments.line(record.model_copy(update={"hash": chain.record_hash(record)}))


def replace(number: int, by: Callable[[bytes], bytes]) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: [by(line) if at == number else line for at, line in enumerate(lines)]


EXCHANGED = b'"","lane":"chris-testing"'
# what is done to the nine lines (and the trailer), and the record that has to be named; None: no record, the file
DAMAGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int | None]] = {
    "a payload's byte": (replace(4, lambda line: line.replace(b'bytes\\":4', b'bytes\\":5')), 5),
    "a name": (replace(4, lambda line: line.replace(b'"ann"', b'"bob"')), 5),
    "a status": (replace(0, lambda line: line.replace(b'"planned"', b'"skipped"')), 1),
    "a responsible person more": (replace(2, lambda line: line.replace(b'["user:7"]', b'["user:7","x"]')), 3),
    "two fields made one": (
        replace(2, lambda line: line.replace(b'"chris-testing","lane":""', b'"","lane":"chris-testing"')),
        3,
    ),
    "a field more": (replace(3, lambda line: line.replace(b'"source"', b'"by":"x","source"')), 4),
    "blanks": (replace(3, lambda line: line.replace(b",", b", ", 1)), 4),
    "an escape in capitals": (replace(3, lambda line: line.replace(b"\\u00e4", b"\\u00E4")), 4),
    "no JSON": (replace(3, lambda line: line[:50] + b"\n"), 4),
    "a record that is dropped": (lambda lines: lines[:4] + lines[5:], 5),
    "the first record dropped": (lambda lines: lines[1:], 1),
    "the last record dropped": (lambda lines: lines[:8] + lines[9:], 9),
    "two records swapped": (lambda lines: swap(lines, 4, 5), 5),
    "a record twice": (lambda lines: lines[:5] + lines[4:], 6),
    "cut between records": (lambda lines: lines[:6], 7),
    "cut in a record": (lambda lines: [*lines[:5], lines[5][:100]], 6),
    "cut in the trailer": (lambda lines: [*lines[:9], lines[9][:40]], None),
    "cut by one byte": (lambda lines: [*lines[:9], lines[9][:-1]], None),
    "something behind": (lambda lines: [*lines, lines[0]], None),
    "a record replaced": (replace(4, lambda line: rewritten(line, payload="{}")), 6),
    "the last record replaced": (replace(8, lambda line: rewritten(line, payload="{}")), 9),
    "nothing at all": (lambda _: [], 1),
}


@pytest.mark.req("X15")
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_first_bad_record_of_an_export_is_named(damage: str, exported: list[bytes], tmp_path: Path) -> None:
    act, named = DAMAGES[damage]
    damaged = act(exported)
    assert damaged != exported
    found = verify_export(damaged).faults
    status, said = script(damaged, folder=tmp_path)
    assert (len(found), status) == (1, 4)
    if named is not None:
        assert f"record {named} " in said
        assert f"ecord {named} " in found[0].sentence


@pytest.mark.req("X15")
def test_an_export_verifies_by_the_standard_library_alone(exported: list[bytes], tmp_path: Path) -> None:
    verdict = verify_export(exported)
    assert (verdict.intact, verdict.count, verdict.last_seq) == (True, RECORDS, RECORDS)
    assert script(exported, folder=tmp_path) == (
        0,
        f"intact: 9 records, 1 to 9, head {verdict.head_hash}\n",
    )


def test_a_part_of_the_chain_verifies_too(exported: list[bytes], tmp_path: Path) -> None:
    part = list(export(from_seq=4))
    assert part[:-1] == exported[3:-1]
    assert verify_export(part).intact
    assert script(part, folder=tmp_path)[0] == 0


@pytest.mark.django_db
def test_an_export_of_nothing_is_intact(tmp_path: Path) -> None:
    assert verify_export(export()).intact
    assert script(list(export()), folder=tmp_path)[0] == 0


def test_a_chain_that_was_rewritten_as_a_whole_is_found_by_what_somebody_noted(
    exported: list[bytes], tmp_path: Path
) -> None:
    fourth = json.loads(exported[3])
    assert script(exported, f"4:{fourth['hash']}", folder=tmp_path)[0] == 0
    status, said = script(exported, f"4:{'0' * 64}", folder=tmp_path)
    assert (status, said) == (4, "ALTERED: record 4 is not the one that was noted: the chain was rewritten.\n")


@pytest.mark.django_db
@given(data=st.data())
@examples(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_flipped_bit_passes(exported: list[bytes], data: st.DataObject) -> None:
    import importlib.util

    spec = importlib.util.spec_from_file_location("verify_audit", SCRIPT)
    assert spec is not None and spec.loader is not None
    offline = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(offline)
    whole = bytearray(b"".join(exported))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    flipped = bytes(whole).splitlines(keepends=True) if b"\r" not in whole else bytes(whole).split(b"\n")
    assert not verify_export(flipped).intact
    with pytest.raises(offline.Altered):
        offline.verify(flipped)
