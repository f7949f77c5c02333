"""What an operator may enter for a host. Each refusal says what would be accepted."""

import os
import re
from itertools import pairwise

from django.core.exceptions import ValidationError

from launchplane.hosts.errors import HostProblem
from launchplane.hosts.ssh_target import HostKey, Target
from launchplane.patterns import BadPattern, check
from launchplane.slugs import RULE, is_slug

LONGEST_SOCKET_PATH = 107  # sun_path of unix(7), less its closing NUL
WINDOW = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


def validate_slug(value: str) -> None:
    """A name that is safe as a path component, a URL part and a label: no slash, no capital, no dot-dot."""
    if not is_slug(value):
        raise ValidationError(f"{value[:80]!r} is no usable name: {RULE}")


def validate_docker_url(value: str) -> None:
    """A unix socket. A plain TCP engine has no authentication: anyone who reaches it owns the machine."""
    if not value.startswith("unix:///") or not value.isprintable():
        raise ValidationError(f"{value[:80]!r} is no engine address: write unix:///path/to/docker.sock")
    if len(os.fsencode(value.removeprefix("unix://"))) > LONGEST_SOCKET_PATH:
        raise ValidationError(f"{value[:80]!r} is too long: a socket's path has at most {LONGEST_SOCKET_PATH} bytes")


def validate_ssh_target(value: str) -> None:
    """`user@host`, `user@host:port` or `user@[IPv6]:port`: nothing that ssh could read as something else."""
    try:
        Target.parse(value)
    except HostProblem as problem:
        raise ValidationError(problem.sentence) from problem


def validate_ssh_host_key(value: str) -> None:
    """One public key, as it stands on the host."""
    try:
        HostKey.parse(value)
    except HostProblem as problem:
        raise ValidationError(problem.sentence) from problem


def validate_folders(value: object) -> None:
    """A list of absolute paths without dot-dot, none of them the same as another or inside it."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError("must be a list of folders")
    for item in value:
        if not item.startswith("/") or ".." in item.split("/") or "\0" in item:
            raise ValidationError(f"{item[:80]!r} is no absolute folder")
    _refuse_nested(value)


def _refuse_nested(folders: list[str]) -> None:
    """What lies in two folders would be counted twice."""
    by_parts = sorted((tuple(part for part in item.split("/") if part not in ("", ".")), item) for item in folders)
    for (outer, outer_item), (inner, inner_item) in pairwise(by_parts):
        if inner == outer:
            raise ValidationError(f"{inner_item[:80]!r} is named twice")
        if inner[: len(outer)] == outer:
            raise ValidationError(f"{inner_item[:80]!r} lies in {outer_item[:80]!r}: name folders beside each other")


def validate_patterns(value: object) -> None:
    """A list of RE2 expressions."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError("must be a list of regular expressions")
    for item in value:
        validate_pattern(item)


def validate_pattern(value: str) -> None:
    """One RE2 expression."""
    try:
        check(value)
    except BadPattern as bad:
        raise ValidationError(str(bad)) from bad


def validate_window(value: str) -> None:
    """A span of the day in UTC; one that ends before it starts goes over midnight."""
    if not WINDOW.fullmatch(value):
        raise ValidationError(f"{value[:80]!r} is no span of the day: write it as 22:00-05:00")


def validate_names(value: object) -> None:
    """A list of non-empty strings."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValidationError("must be a list of names")
