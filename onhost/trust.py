"""Whether this installation is root's alone: the programs, their folder, the configuration and all above them."""

from __future__ import annotations

import os
import sys

from onhost import FOLDER, files
from onhost.layout import PACKAGES
from onhost.refusals import Refusal, Untrusted


def check(program: str) -> None:
    """Raises Untrusted unless `program` runs from its own place, and nobody but root can write anything it runs."""
    if sys.argv != [f"{FOLDER}/{program}"]:
        raise Untrusted("arguments", f"run it as {FOLDER}/{program}, without arguments: the request is standard input")
    try:
        with files.folder(FOLDER) as programs:
            _check_all(programs, [program])
        for name in PACKAGES:
            with files.folder(f"{FOLDER}/{name}") as package:
                found = os.listdir(package)  # noqa: PTH208
                _check_all(package, [file for file in found if f"{name}/{file}" not in PACKAGES])
    except Refusal as refusal:
        raise Untrusted("installation", f"the installation is not safe: {refusal.summary}") from refusal


def _check_all(at: int, names: list[str]) -> None:
    for name in names:
        files.require_file(at, name, owner=0)
