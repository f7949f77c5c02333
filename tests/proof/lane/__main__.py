"""`script/proof lane`: a lane lives and goes on a disposable host. 0: all proven, 4: not, 3: it cannot run here."""

import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from launchplane.commands import ATTENTION, FINE, REFUSED
from tests import groups
from tests.proof.lane.place import a_place
from tests.proof.lane.record import Record
from tests.proof.lane.sequence import prove
from tests.testbed.host import DisposableHost, disposable_host


def main(words: Sequence[str]) -> int:
    """Run it, say each proof as it is reached, and return the exit code."""
    folder = _folder(words)
    for name in [name for name in os.environ if name.startswith("LAUNCHPLANE_")]:
        del os.environ[name]  # the proof's own server has its own settings
    if (why := groups.missing("testbed")) is not None:
        print(f"It cannot run here: {why}.", file=sys.stderr)
        return ATTENTION
    folder.mkdir(parents=True, exist_ok=True)
    with disposable_host() as host:
        proven = run(host, folder, say=lambda words: print(words, flush=True))
    print(f"{'Proven' if proven else 'Not proven'}. The artifact: {folder / 'proof.json'}, and what lies beside it.")
    return FINE if proven else REFUSED


def run(host: DisposableHost, folder: Path, *, say: Callable[[str], object]) -> bool:
    """The proof on `host`, which was never used; the artifact is left in `folder`, which is there."""
    with tempfile.TemporaryDirectory(prefix="lp-live-") as state, a_place(folder, host, Path(state) / "var") as place:
        return prove(place, Record(folder, say))


def _folder(words: Sequence[str]) -> Path:
    parser = ArgumentParser(prog="script/proof lane", description=__doc__)
    ours = Path("var") / f"proof-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    parser.add_argument("--folder", type=Path, default=ours, help="where the artifact is left (default: in var/)")
    chosen: Path = parser.parse_args(words).folder
    return chosen.absolute()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
