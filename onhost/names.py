"""Which names and paths are accepted. Always the whole text, and only characters that mean nothing to anybody.

None of them can be an option, a systemd specifier, a second line or a way up: no leading dash, %, space, quote,
control character or dot-dot.
"""

from __future__ import annotations

import re

SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# no underscore first: sudo-rs reads no such name
USER = re.compile(r"[a-z][a-z0-9_-]{0,31}")
PATH = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9._-]*)+")
SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9._-]{1,100})?")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SERVER = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?")
TOKEN = re.compile(rb"[A-Za-z0-9._-]{16,1024}")
SHA256 = re.compile(r"[0-9a-f]{64}")
LONGEST_PATH = 200


def is_slug(value: object) -> bool:
    """A host's or lane's name (M31)."""
    return isinstance(value, str) and SLUG.fullmatch(value) is not None and ".." not in value


def is_user(value: object) -> bool:
    """A user that a lane may run as."""
    return isinstance(value, str) and USER.fullmatch(value) is not None and value != "root"


def is_path(value: object) -> bool:
    """An absolute folder in its one spelling: no double slash, no dot or dot-dot, no slash at the end."""
    return (
        isinstance(value, str)
        and len(value) <= LONGEST_PATH
        and PATH.fullmatch(value) is not None
        and ".." not in value
    )


def is_scope(value: object) -> bool:
    """`owner/repository`, or `owner` for an organization."""
    return isinstance(value, str) and SCOPE.fullmatch(value) is not None and not value.endswith(("/.", "/.."))


def is_label(value: object) -> bool:
    """One label of a runner: no comma, since config.sh takes them as one list."""
    return isinstance(value, str) and LABEL.fullmatch(value) is not None


def inside(path: str, folder: str) -> bool:
    """Whether `path` lies below `folder`; both in the spelling of `is_path`."""
    return path.startswith(folder + "/")
