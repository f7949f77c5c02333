"""The live proof as one test, as `script/proof lane` does it."""

import faulthandler
import json
from pathlib import Path

import pytest

from tests.proof.lane.__main__ import run
from tests.proof.lane.sequence import PROOFS
from tests.testbed.host import DisposableHost

# every proof of the sequence carries its requirements
IDS = sorted({name for proof in PROOFS for name in proof.ids.split()})
# it is one test, and so may take longer than any other
SECONDS = 1800

pytestmark = [pytest.mark.testbed, *(pytest.mark.req(name) for name in IDS)]


def test_a_lane_lives_and_goes_on_a_disposable_host(another_disposable: DisposableHost, tmp_path: Path) -> None:
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    said: list[str] = []

    proven = run(another_disposable, tmp_path, say=said.append)

    told = json.loads((tmp_path / "proof.json").read_text())
    assert proven, "\n".join(said)
    assert told["outcome"] == "holds"
    assert [proof["title"] for proof in told["proofs"]] == [proof.title for proof in PROOFS]
