"""`script/proof engine URL IMAGE`: measure one engine, and hold it against an earlier measurement of it."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from hygiene.proof import sentences
from hygiene.proof.access_log import AccessLog
from hygiene.proof.build import BuildAsked
from hygiene.proof.contracts import Measurement, Outcome, Proof
from hygiene.proof.engine import ProofEngine
from hygiene.proof.measure import measure
from hygiene.proof.verdict import judge
from launchplane.commands import ATTENTION, FINE, REFUSED, exit_code
from launchplane.problems import Problem
from launchplane.words import printable

EXIT_CODES: dict[Outcome, int] = {"holds": FINE, "not_proven": ATTENTION, "fails": REFUSED}


def main(words: Sequence[str]) -> int:
    """0 measured, or it stayed warm · 2 usage or unreachable · 3 not proven, budget spent · 4 it did not stay warm."""
    asked = _parsed(words)
    try:
        before = None if asked.before is None else _earlier(asked.before)
        log = None if asked.access_log is None else AccessLog(asked.access_log)
        built = None if asked.context is None else BuildAsked(asked.context, asked.network)
        now = measure(ProofEngine(asked.url), asked.image, log=log, built=built)
        if before is None:
            show(now, sentences.of_measurement(now), as_json=asked.json)
            return FINE
        proof = Proof(before=before, clean_ups=(), after=now, redeployment=None, verdict=judge(before, now))
    except Problem as problem:
        return complain(problem, as_json=asked.json)
    show(proof, sentences.of_proof(proof), as_json=asked.json)
    return EXIT_CODES[proof.verdict.outcome]


def show(contract: BaseModel, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the contract for programs, or its sentences for people."""
    if as_json:
        print(json.dumps(contract.model_dump(mode="json"), indent=2))
        return
    for line in lines:
        print(printable(line))


def complain(problem: Problem, *, as_json: bool) -> int:
    """Print what went wrong; its exit code."""
    if as_json:
        print(json.dumps({"error": {"code": problem.code, "summary": problem.sentence}}, indent=2))
    print(printable(problem.sentence), file=sys.stderr)
    return exit_code(problem)


def _parsed(words: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="script/proof engine", description=__doc__)
    parser.add_argument("url", help="unix:///path/to/docker.sock")
    parser.add_argument("image", help="what is pulled, with its tag")
    parser.add_argument("--context", type=Path, help="a folder with a Dockerfile that is built")
    parser.add_argument("--network", default="default", help="the network of the build's steps")
    parser.add_argument("--access-log", type=Path, help="the registry's access log, to count manifest checks in")
    parser.add_argument("--before", type=Path, help="what this printed with --json before the clean-up")
    parser.add_argument("--json", action="store_true", help="print the contract as JSON")
    return parser.parse_args(words)


def _earlier(path: Path) -> Measurement:
    try:
        return Measurement.model_validate_json(path.read_text())
    except (OSError, ValidationError) as error:
        sentence = f"{path} is not what this prints with --json ({type(error).__name__})."
        raise Problem("no_measurement", sentence) from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
