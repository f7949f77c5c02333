"""Debian packages that a start or the tests lack: installed as root, without starting a service of theirs.

`python -m launchplane.server.packages NAME…` installs those of NAME… that are missing.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from launchplane.hosts.command import CommandResult, run
from launchplane.problems import Problem

POLICY = Path("/usr/sbin/policy-rc.d")
FORBID_STARTING = "#!/bin/sh\nexit 101\n"


def can_install() -> bool:
    """True as root on Debian or a relative of it."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def missing(packages: Sequence[str]) -> list[str]:
    """Those of `packages` that dpkg does not know as installed."""
    return [package for package in packages if not _is_installed(package)]


def install(packages: Sequence[str]) -> None:
    """Install `packages` with what they depend on, no more. Raises Problem `packages_not_installed`."""
    with no_service_starts():
        result = _apt_get("install", "--yes", "--no-install-recommends", *packages)
        if result.returncode != 0:  # most often the lists are missing or too old
            _apt_get("update")
            result = _apt_get("install", "--yes", "--no-install-recommends", *packages)
    if result.returncode != 0:
        last = (result.stderr.strip() or result.stdout.strip()).splitlines()[-1:]
        raise Problem("packages_not_installed", f"apt-get could not install {' '.join(packages)}: {' '.join(last)}")


@contextmanager
def no_service_starts() -> Iterator[None]:
    """While it lasts, Debian's maintainer scripts start no service; a policy that the machine has already stays."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text(FORBID_STARTING)
    try:
        POLICY.chmod(0o755)
        yield
    finally:
        POLICY.unlink()


def _is_installed(package: str) -> bool:
    result = run(["dpkg-query", "--show", "--showformat=${Status}", package], timeout_seconds=30)
    return result.returncode == 0 and result.stdout.endswith(" installed")


def _apt_get(*arguments: str) -> CommandResult:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return run(["apt-get", "--quiet=2", *arguments], timeout_seconds=900, env=environment)


def main(wanted: Sequence[str]) -> int:
    """Install what is missing of `wanted`; 0 if all is there afterwards."""
    lacking = missing(wanted) if can_install() else []
    if lacking:
        print(f"Installing {', '.join(lacking)} …", flush=True)
        install(lacking)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
