"""What is installed on a host, and where: the files of this folder as they are, below FOLDER."""

from __future__ import annotations

from pathlib import Path

from onhost import FOLDER

PROGRAMS = ("launchplane-dispatch", "launchplane-docker", "launchplane-runner", "launchplane-unit")
PACKAGES = ("onhost", "onhost/engine", "onhost/machine")
PROGRAM_MODE = 0o755
MODULE_MODE = 0o644


def files() -> dict[str, tuple[Path, int]]:
    """Every file by its place on a host, with where it is here and the mode that it gets there. Root owns them all."""
    here = Path(__file__).parent
    programs = {f"{FOLDER}/{name}": (here / name, PROGRAM_MODE) for name in PROGRAMS}
    modules = {
        f"{FOLDER}/{package}/{path.name}": (path, MODULE_MODE)
        for package in PACKAGES
        for path in sorted((here.parent / package).glob("*.py"))
    }
    return {**programs, **modules}
