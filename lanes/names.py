"""Which names of lanes, scopes, labels, users and folders are safe, and when two of them are the same. Pure.

What is not plainly safe is refused: these end up in paths, in arguments of a program that root runs, and in unit files.
The programs on the host judge again for themselves, and accept all that is accepted here.
"""

import re
from collections.abc import Collection, Iterable

from launchplane.slugs import is_slug

MANAGED_LABEL = "launchplane-managed"
LONGEST_PATH = 200
LONGEST_OWNER = 39
# what config.sh gives every runner by itself: GitHub lists these and nobody can take them away
DEFAULT_LABELS = frozenset({"self-hosted", "linux", "x64", "arm", "arm64"})

# GitHub: letters, digits, and single hyphens between them
_OWNER = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}")
# config.sh splits at commas; no character here means anything to a shell, to systemd or in a URL
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
# no space, no quote, and no %, which systemd would replace in a unit
_PATH = re.compile(r"(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)+")


def is_lane_name(name: str) -> bool:
    """Whether a lane may be called that: a slug (M31)."""
    return is_slug(name)


def unit_name(lane_name: str) -> str:
    """The unit of a lane, which follows from its name and from nothing else (M13)."""
    return f"launchplane-runner@{lane_name}.service"


def is_scope(scope: str) -> bool:
    """Whether `scope` is `owner` or `owner/repository`, as GitHub allows them."""
    owner, slash, repository = scope.partition("/")
    if len(owner) > LONGEST_OWNER or not _OWNER.fullmatch(owner):
        return False
    return not slash or (_REPOSITORY.fullmatch(repository) is not None and not _is_no_repository(repository))


def is_label(label: str) -> bool:
    """Whether a runner may get `label`: 1 to 64 of letters, digits, `.`, `_`, `-`."""
    return _LABEL.fullmatch(label) is not None


def is_service_user(user: str) -> bool:
    """Whether `user` is an ordinary Linux account's name. root is none: a lane runs other people's code."""
    return _USER.fullmatch(user) is not None and user != "root"


def is_plain_path(path: str) -> bool:
    """Whether `path` is absolute and in its one spelling: no dot-dot, no double or closing slash."""
    return len(path) <= LONGEST_PATH and _PATH.fullmatch(path) is not None and ".." not in path


def is_allowed_root(root: str, allowed: Collection[str]) -> bool:
    """Whether `root` is exactly one of the allowed folders, character by character (M25, M59)."""
    return is_plain_path(root) and root in allowed


def same(one: str, other: str) -> bool:
    """Whether two names are the same: upper and lower case make no difference (M36), as at GitHub."""
    return folded(one) == folded(other)


def folded(name: str) -> str:
    """`name` as it is compared and looked up."""
    return name.casefold()


def required_labels(host_name: str) -> tuple[str, ...]:
    """The labels that every lane on that host has (M12, L12); what else a lane has says what it is good for."""
    return ("self-hosted", "launchplane", MANAGED_LABEL, host_name)


def missing_labels(wanted: Iterable[str], seen: Iterable[str]) -> tuple[str, ...]:
    """Those of `wanted` that are not in `seen`, in order."""
    exactly = set(seen)
    missing = [label for label in wanted if label not in exactly]
    if not missing:
        return ()
    there = {folded(label) for label in exactly}
    return tuple(label for label in missing if folded(label) not in there)


def foreign_labels(wanted: Iterable[str], seen: Iterable[str]) -> tuple[str, ...]:
    """Those of `seen` that nobody wants and that are not GitHub's own: each draws other people's jobs to the lane."""
    return tuple(label for label in missing_labels(seen, wanted) if folded(label) not in DEFAULT_LABELS)


def _is_no_repository(name: str) -> bool:
    """GitHub takes a closing `.git` off, and the dots are folders."""
    return name in (".", "..") or name.lower().endswith(".git")
