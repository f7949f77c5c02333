"""The archive of the stand-in runner: made when it is needed, the same bytes each time, so that its hash is known."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

VERSION = "2.337.0"
HERE = Path(__file__).parent
PROGRAMS = "bin/standin"


@dataclass(frozen=True)
class Package:
    """What is downloaded: the bytes of a tar.gz, and what GitHub tells of them."""

    version: str
    content: bytes

    @property
    def filename(self) -> str:
        return f"actions-runner-linux-x64-{self.version}.tar.gz"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def package(version: str = VERSION) -> Package:
    """The stand-in runner as a release; `version` is what it says of itself."""
    files = {path.relative_to(HERE / "files").as_posix(): path for path in (HERE / "files").rglob("*")}
    files |= {f"{PROGRAMS}/{path.name}": path for path in (HERE / "standin").glob("*.py")}
    contents = {place: (path.read_bytes(), _mode(path)) for place, path in files.items() if path.is_file()}
    contents["bin/version"] = (version.encode(), 0o644)
    return Package(version, gzip.compress(_tar(contents), mtime=0))


def _tar(contents: dict[str, tuple[bytes, int]]) -> bytes:
    """With nothing in it of who made it, or when; its folders are listed, as in GitHub's own."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in ("bin", PROGRAMS):
            entry = tarfile.TarInfo(f"./{folder}")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for place, (content, mode) in sorted(contents.items()):
            entry = tarfile.TarInfo(f"./{place}")
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o100 else 0o644
