"""Whatever is done to an export is found, and the first bad record is named: by us, and offline without us."""

import importlib.util
import json
import re
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
from audits.contracts import Fault
from audits.export import extent, fault_line
from audits.verify_export import verify_export
from tests.audits.making import a_record, exported_lines
from tests.shell import manage

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_audit.py"
RECORDS = 9


@pytest.fixture
def exported(db: None) -> list[bytes]:
    """The lines of an export of nine records."""
    for number in range(RECORDS):
        a_record(key=f"change-{number}", payload={"name": "nächtlich 😀", "bytes": number})
    return exported_lines()


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


def relabelled(line: bytes, **changes: Any) -> bytes:
    """`rewritten`, also for what our own contract would not let pass."""
    from audits import chain
    from audits.contracts import Actor, Record

    said = json.loads(line) | changes
    record = Record.model_construct(**said | {"actor": Actor(**said["actor"])})
    said["hash"] = chain.record_hash(record)
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


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
    "a status that there is not": (replace(8, lambda line: relabelled(line, status="perhaps")), 9),
    "a number that there is not": (lambda lines: [relabelled(lines[0], seq=0), *lines[1:]], None),
    "no end of brackets": (lambda lines: [*lines[:9], b'{"trailer":' + b"[" * 100_000 + b"\n"], None),
    "no end of brackets in a record": (replace(4, lambda _: b"[" * 100_000 + b"\n"), 5),
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
        f"intact: 9 records, 1 to 9, head {verdict.head_hash}\n"
        "That nothing was cut off at its end is proved only by a SEQ:HASH that was noted.\n",
    )


def test_a_part_of_the_chain_verifies_too(exported: list[bytes], tmp_path: Path) -> None:
    part = exported_lines(extent(from_seq=4))
    assert part[:-1] == exported[3:-1]
    assert verify_export(part).intact
    assert script(part, folder=tmp_path)[0] == 0


@pytest.mark.django_db
def test_an_export_of_nothing_is_intact_and_proves_nothing(tmp_path: Path) -> None:
    assert verify_export(exported_lines()).intact
    assert script(exported_lines(), folder=tmp_path)[0] == 3


def test_a_chain_that_was_rewritten_as_a_whole_is_found_by_what_somebody_noted(
    exported: list[bytes], tmp_path: Path
) -> None:
    fourth = json.loads(exported[3])
    assert script(exported, f"4:{fourth['hash']}", folder=tmp_path)[0] == 0
    status, said = script(exported, f"4:{'0' * 64}", folder=tmp_path)
    assert (status, said) == (4, "ALTERED: record 4 is not the one that was noted: the chain was rewritten.\n")


def test_one_who_noted_a_record_wrongly_is_told_how_to(exported: list[bytes], tmp_path: Path) -> None:
    for note in ("4", "4:", "four:" + "0" * 64, "4:" + "0" * 63):
        status, said = script(exported, note, folder=tmp_path)
        assert (status, "SEQ:HASH" in said) == (2, True)


def test_a_noted_record_that_the_export_does_not_hold_is_told(exported: list[bytes], tmp_path: Path) -> None:
    status, said = script(exported, f"77:{'0' * 64}", folder=tmp_path)
    assert (status, said) == (4, "ALTERED: record 77 is not the one that was noted: the chain was rewritten.\n")


def by_the_command(path: Path) -> int:
    """How `manage.py audits verify FILE` ends."""
    return manage("audits", "verify", str(path)).code


def by_the_script(path: Path) -> int:
    """How the offline script ends, with less memory than a file of a gigabyte takes."""
    limited = 'ulimit -v 800000; exec "$@"'
    command = ["sh", "-c", limited, "sh", sys.executable, "-I", str(SCRIPT), str(path)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode


def a_gigabyte_of_zeros(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**30)


FILES: dict[str, tuple[Callable[[Path], object], int]] = {
    "missing": (lambda _: None, 2),
    "a directory": (lambda path: path.mkdir(), 2),
    "empty": (lambda path: path.touch(), 4),
    "a program": (lambda path: path.write_bytes(Path(sys.executable).read_bytes()), 4),
    "text": (lambda path: path.write_text("what?\n"), 4),
    "one line without an end": (a_gigabyte_of_zeros, 4),
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_export_is_told_by_both_alike(what: str, tmp_path: Path) -> None:
    make, status = FILES[what]
    path = tmp_path / "file"
    make(path)
    assert (by_the_command(path), by_the_script(path)) == (status, status)


@pytest.fixture(scope="module")
def offline() -> Any:
    """docs/verify_audit.py as a module, for very many tries."""
    spec = importlib.util.spec_from_file_location("verify_audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named_by_both(damaged: list[bytes], offline: Any) -> set[int | None]:
    """Which record ours and the script name as the first that is wrong. Both have to find something."""
    (found,) = verify_export(damaged).faults
    with pytest.raises(offline.Altered) as altered:
        offline.verify(damaged)
    by_the_script = re.search(r"record (\d+) (?:was|is|does)", str(altered.value))
    return {found.seq, int(by_the_script[1]) if by_the_script else None}


MANY = examples(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.req("X15")
@pytest.mark.django_db
@given(data=st.data())
@MANY
def test_whichever_byte_is_altered_its_record_is_named(
    exported: list[bytes], offline: Any, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, sum(map(len, exported)) - 1))
    whole = b"".join(exported)
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    damaged = whole[:at] + bytes([other]) + whole[at + 1 :]
    record = whole[:at].count(b"\n") + 1
    named = named_by_both([line + b"\n" for line in damaged.split(b"\n")[:-1]] or [damaged], offline)
    if 1 < record <= RECORDS:  # what the first one says of its own number is all that is known of it
        assert named == {record}


@pytest.mark.req("X15")
@pytest.mark.django_db
@given(data=st.data())
@MANY
def test_wherever_it_is_cut_what_is_missing_is_named(exported: list[bytes], offline: Any, data: st.DataObject) -> None:
    whole = b"".join(exported)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    record = cut.count(b"\n") + 1
    named = named_by_both(cut.splitlines(keepends=True), offline)
    if record > 1:  # of nothing at all, or of half a line, nothing is known
        assert named == {record} if record <= RECORDS else named <= {None, RECORDS + 1}


@pytest.mark.req("X15")
@pytest.mark.django_db
@given(order=st.permutations(range(RECORDS)).filter(lambda order: order != sorted(order)))
@MANY
def test_however_records_are_reordered_the_first_out_of_place_is_named(
    exported: list[bytes], offline: Any, order: list[int]
) -> None:
    reordered = [*(exported[number] for number in order), exported[-1]]
    named = named_by_both(reordered, offline)
    moved = next(place for place, number in enumerate(order) if place != number)
    assert named == {moved + 1} or moved == 0


@pytest.mark.req("X15")
def test_an_export_that_says_it_could_not_go_on_verifies_nowhere(exported: list[bytes], offline: Any) -> None:
    ended = [*exported[:4], fault_line(Fault(code="out_of_place", seq=5, sentence="Record 5 is missing."))]
    assert named_by_both(ended, offline) == {5}
    assert named_by_both([*ended, exported[-1]], offline) == {5}


UNPROVEN = "proved only by a SEQ:HASH that was noted"


def cut_to(lines: list[bytes], count: int) -> list[bytes]:
    """An export of `count` records whose trailer somebody made to fit."""
    kept = [json.loads(line) for line in lines[:count]]
    first, last = (kept[0]["seq"], kept[-1]["seq"]) if kept else (None, None)
    head = kept[-1]["hash"] if kept else "0" * 64
    trailer = {"format": "launchplane-audit-1", "count": count, "first_seq": first, "last_seq": last, "head_hash": head}
    return [*lines[:count], json.dumps({"trailer": trailer}, separators=(",", ":")).encode() + b"\n"]


@pytest.mark.req("X15")
def test_an_export_cut_to_a_trailer_of_its_own_is_told_what_it_proves(exported: list[bytes], tmp_path: Path) -> None:
    assert (script(cut_to(exported, 4), folder=tmp_path)[0], UNPROVEN in script(exported, folder=tmp_path)[1]) == (
        0,
        True,
    )
    said = manage("audits", "verify", str(tmp_path / "export.ndjson")).out
    assert UNPROVEN in said
    (tmp_path / "cut").write_bytes(b"".join(cut_to(exported, 4)))
    assert f"Our own records go on up to record {RECORDS}." in manage("audits", "verify", str(tmp_path / "cut")).out


def test_one_who_noted_a_record_is_not_told_to(exported: list[bytes], tmp_path: Path) -> None:
    noted = json.loads(exported[RECORDS - 1])
    assert UNPROVEN not in script(exported, f"{RECORDS}:{noted['hash']}", folder=tmp_path)[1]


@pytest.mark.req("X15")
def test_an_export_without_a_record_is_not_fine(exported: list[bytes], tmp_path: Path) -> None:
    assert script(cut_to(exported, 0), folder=tmp_path)[0] == 3
    assert manage("audits", "verify", str(tmp_path / "export.ndjson")).code == 3


@pytest.mark.req("X15")
def test_an_export_that_our_own_records_do_not_hold_is_told(exported: list[bytes], tmp_path: Path) -> None:
    forged = [*exported[:3], rewritten(exported[3], kind="nothing.happened")]
    (tmp_path / "export").write_bytes(b"".join(cut_to(forged, 4)))
    outcome = manage("audits", "verify", str(tmp_path / "export"), "--json")
    assert (outcome.code, outcome.json["faults"][0]["code"]) == (4, "not_ours")
