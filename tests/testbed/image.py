"""What the disposable host boots from: a Debian root folder as a tar, made once and kept by a hash of what goes in."""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from launchplane.hosts.command import CommandResult, run

SUITE = "trixie"
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "sudo",
    "sudo-rs",
    "python3",
    "openssh-server",
    "iproute2",
    "procps",
    "busybox-static",
    "docker.io",
    "docker-cli",
    "docker-buildx",
)
FILES = Path(__file__).parent / "files"
PREPARE = "/prepare"
# beside the checkouts, not in one: a fresh clone need not build what the last one built
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "launchplane-tests"
KEPT = 2
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def image_tar() -> Path:
    """The tar; the first time it takes a minute to make. Raises RuntimeError with what the failing program said."""
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / f"testbed-{key()}.tar"
    with _one_at_a_time():
        if not path.exists():
            _make(path)
        os.utime(path)
        _forget_all_but_the_last_used()
    return path


def key() -> str:
    """Changes with all that we put in. What the mirror has of a package may change without it."""
    digest = hashlib.sha256("\n".join([SUITE, *PACKAGES]).encode())
    for path in sorted(path for path in FILES.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\n{path.relative_to(FILES)} {path.stat().st_mode & 0o111:o} {content}".encode())
    return digest.hexdigest()[:16]


def mirror() -> str:
    """The archive that this machine's own apt uses. Raises RuntimeError if it has none of Debian."""
    found = _debian_archives()
    if not found:
        _must(["apt-get", "update"], seconds=300)  # who made an archive is known from its lists alone
        found = _debian_archives()
    if not found:
        raise RuntimeError("apt's sources name no Debian archive to make a disposable host from")
    return found[0]


def _debian_archives() -> list[str]:
    wanted = ["apt-get", "indextargets", "--format", "$(ORIGIN)/$(LABEL) $(REPO_URI)", "Created-By: Packages"]
    lines = [line.split(" ", 1) for line in _must(wanted, seconds=60).stdout.splitlines()]
    return [address for made_by, address in lines if made_by == "Debian/Debian"]


def _make(path: Path) -> None:
    """A tar that is there is whole: it gets its name last."""
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="making-") as folder:
        root, unnamed = f"{folder}/root", Path(folder) / "tar"
        _debootstrap(root)
        _must(["cp", "--recursive", "--no-target-directory", str(FILES), root], seconds=60)
        _must(["chroot", root, PREPARE], seconds=60)
        _must(["tar", "--create", "--numeric-owner", "--directory", root, "--file", str(unnamed), "."], seconds=300)
        unnamed.rename(path)


def _debootstrap(root: str) -> None:
    """What it mounts in the new root goes with its mount namespace, however it ends: a later `rm -r` meets no /sys."""
    options = ["--variant=minbase", "--force-check-gpg", f"--include={','.join(PACKAGES)}"]
    alone = ["unshare", "--mount", "--propagation", "private"]
    _must([*alone, "debootstrap", *options, SUITE, root, mirror()], seconds=1200)


def _forget_all_but_the_last_used() -> None:
    tars = sorted(CACHE.glob("testbed-*.tar"), key=lambda path: path.stat().st_mtime)
    for path in tars[:-KEPT]:
        path.unlink()


def _must(argv: Sequence[str], *, seconds: float) -> CommandResult:
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    result = run(argv, timeout_seconds=seconds, env={"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"} | proxies)
    if result.returncode != 0:
        last = (result.stdout + result.stderr)[-1000:]
        raise RuntimeError(f"{argv[0]} for the disposable host ended with {result.returncode}: {last}")
    return result


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Of several runs of the tests one makes it, and the others wait."""
    with (CACHE / "testbed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
