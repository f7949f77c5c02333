"""`script/proof warm`: all of it on an engine, a registry and a database of its own. 0: warm, 4: not, 3: unknown."""

import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from tests.bench.inventory import prepare_django


def main(words: Sequence[str]) -> int:
    """Run it, print it, and return the exit code."""
    parser = ArgumentParser(prog="script/proof warm", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the contract as JSON")
    as_json: bool = parser.parse_args(words).json
    with tempfile.TemporaryDirectory(prefix="lp-proof-") as folder:
        os.environ["LAUNCHPLANE_VAR"] = str(Path(folder) / "var")
        os.environ.pop("LAUNCHPLANE_DATABASE_URL", None)
        prepare_django()
        return run(Path(folder), as_json=as_json)


def run(folder: Path, *, as_json: bool) -> int:
    """The proof in `folder`, which is thrown away afterwards."""
    from hygiene.proof import sentences
    from hygiene.proof.__main__ import EXIT_CODES, complain, show
    from launchplane.problems import Problem
    from launchplane.sandbox.dockerd import PrivateEngine
    from tests import registry
    from tests.proof.sequence import prove

    engine = PrivateEngine(folder / "engine")
    try:
        engine.start()
        with registry.serving() as own:
            proof = prove(engine, own, folder, say=lambda words: print(f"… {words}", file=sys.stderr, flush=True))
    except Problem as problem:
        return complain(problem, as_json=as_json)
    finally:
        engine.stop()
    show(proof, sentences.of_proof(proof), as_json=as_json)
    return EXIT_CODES[proof.verdict.outcome]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
