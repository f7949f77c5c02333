"""The artifact is whole after each proof, and one that did not come out is not hidden."""

import json
from pathlib import Path

import pytest

from tests.proof.lane.record import NotProven, Record, require


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def record(tmp_path: Path, said: list[str]) -> Record:
    return Record(tmp_path, said.append)


def test_each_proof_is_said_and_kept_as_it_is_reached(record: Record, said: list[str]) -> None:
    record.holds("M6 M81", "zero runners", {"runners": []})
    told = json.loads(record.path.read_text())
    assert said == ["✓ M6 M81       zero runners"]
    assert [(proof["ids"], proof["holds"]) for proof in told["proofs"]] == [(["M6", "M81"], True)]
    assert told["outcome"] == "holds"


def test_one_proof_that_fails_is_the_outcome(record: Record, said: list[str]) -> None:
    record.holds("M81", "zero runners", {})
    record.fails("M86", "online", "GitHub lists it offline")
    assert json.loads(record.path.read_text())["outcome"] == "fails"
    assert said[1:] == ["✗ M86          online", "  GitHub lists it offline"]


def test_nothing_tried_is_nothing_proven(record: Record) -> None:
    assert record.outcome == "fails"


@pytest.mark.parametrize("seen", [False, None, [], "", 0])
def test_what_does_not_hold_stops_with_what_was_seen(seen: object) -> None:
    with pytest.raises(NotProven, match="it is offline"):
        require(seen, "it is offline")
