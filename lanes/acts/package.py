"""The runner's package: downloaded here once, kept by its hash, and believed only if that is what GitHub's API told.

A host does not download it: it reaches out for nothing on our behalf, and what it runs is what was checked here.
"""

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal
from urllib.parse import urljoin, urlsplit

import requests
from django.conf import settings

from lanes.github.parse import Download
from launchplane.problems import Problem
from launchplane.words import clean_message
from onhost.package import CHUNK, MOST_BYTES

FOLDER: Final = "packages"
KEPT: Final = 4
DOWNLOAD_SECONDS: Final = 600
SILENT_SECONDS: Final = 20
MOST_HOPS: Final = 5
REDIRECTS: Final = (301, 302, 303, 307, 308)

Architecture = Literal["x64", "arm64", "arm"]


class PackageProblem(Problem):
    """There is no package that could be given to a host. Nothing was sent there."""


@dataclass(frozen=True, slots=True)
class Package:
    """A whole package on this machine."""

    path: Path
    size_bytes: int
    sha256: str


def chosen(downloads: Sequence[Download], architecture: Architecture) -> Download:
    """The package for a Linux host of that kind. Raises PackageProblem for none, or one whose hash was not told."""
    found = next((one for one in downloads if (one.os, one.architecture) == ("linux", architecture)), None)
    if found is None:
        raise PackageProblem("no_package", f"GitHub offers no runner for Linux on {architecture}.")
    if found.sha256_checksum is None:
        raise PackageProblem("package_unverifiable", f"GitHub tells no hash of {found.filename}: it is not used.")
    return found


def fetched(download: Download) -> Package:
    """The package, from an earlier download if one is here. Raises PackageProblem.

    Its address comes from GitHub's API; it may lead elsewhere, as to a store, and no credential goes along.
    """
    sha256 = download.sha256_checksum or ""
    folder = Path(settings.VAR) / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = folder / f"{sha256}.tar.gz"
    if not (place.is_file() and _hash_of(place) == sha256):
        _download(download.download_url, place, sha256)
        _forget_old(folder, but=place)
    return Package(place, place.stat().st_size, sha256)


def _download(address: str, place: Path, sha256: str) -> None:
    """Into a file beside `place`, which it becomes once its hash is right."""
    new = place.with_suffix(f".{os.getpid()}.new")
    try:
        with new.open("xb") as file, _opened(address) as answer:
            os.fchmod(file.fileno(), 0o600)
            told = _write(answer, file)
            file.flush()
            os.fsync(file.fileno())
        if told != sha256:
            raise PackageProblem("package_altered", "The package has another hash than GitHub's API tells: not used.")
        new.replace(place)
    except (requests.RequestException, OSError, ValueError) as error:
        why = clean_message(str(error)) or type(error).__name__
        raise PackageProblem("package_not_fetched", f"The runner's package could not be downloaded: {why}") from error
    finally:
        new.unlink(missing_ok=True)


def _write(answer: requests.Response, file: IO[bytes]) -> str:
    """The hash of all that came, once it is written. Raises PackageProblem for too much or too slow."""
    told, left, end = hashlib.sha256(), MOST_BYTES, time.monotonic() + DOWNLOAD_SECONDS
    for chunk in answer.iter_content(CHUNK):
        left -= len(chunk)
        if left < 0:
            raise PackageProblem("package_too_large", f"The package has more than {MOST_BYTES >> 20} MiB: left.")
        if time.monotonic() > end:
            raise PackageProblem("package_not_fetched", f"The package did not come within {DOWNLOAD_SECONDS} seconds.")
        told.update(chunk)
        file.write(chunk)
    return told.hexdigest()


@contextmanager
def _opened(address: str) -> Iterator[requests.Response]:
    """The answer at the end of a few redirections, each of which has to be as safe as the first."""
    with requests.Session() as session:
        session.trust_env = urlsplit(address).scheme == "https"
        for _ in range(MOST_HOPS):
            _require_safe(address)
            answer = session.get(address, stream=True, allow_redirects=False, timeout=SILENT_SECONDS)
            if answer.status_code not in REDIRECTS:
                break
            address = urljoin(address, answer.headers.get("location") or "nowhere:")
            answer.close()
        with answer:
            if answer.status_code != 200:
                raise PackageProblem("package_not_fetched", f"The package's address answers {answer.status_code}.")
            yield answer


def _require_safe(address: str) -> None:
    """https, or the very server that the API is spoken to without TLS, which the settings allow on loopback only."""
    api, parts = urlsplit(settings.GITHUB_API_URL), urlsplit(address)
    if parts.scheme != "https" and (parts.scheme, parts.netloc) != (api.scheme, api.netloc):
        raise PackageProblem("package_not_fetched", "The package's address is no https: nothing is downloaded from it.")


def _hash_of(path: Path) -> str:
    told = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            told.update(chunk)
    return told.hexdigest()


def _forget_old(folder: Path, *, but: Path) -> None:
    """A package has some hundred megabytes: only the last few stay."""
    others = sorted((path for path in folder.glob("*.tar.gz") if path != but), key=lambda path: path.stat().st_mtime)
    for path in others[: max(len(others) - KEPT + 1, 0)]:
        path.unlink(missing_ok=True)
