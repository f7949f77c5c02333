"""Which registries a Docker client is logged in to, and as whom. Secrets never leave the line that skips them."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any, NamedTuple

from onhost.machine.limits import Limits, NotMeasured, inside, read_text, why


class Login(NamedTuple):
    """A registry and the user's name, if the file itself says it."""

    registry: str
    username: str | None
    source: str


def read_logins(paths: tuple[str, ...], limits: Limits, *, root: str = "/") -> tuple[Login, ...]:
    """Logins in these `config.json` files (or the folders that hold one). A file that is not there holds none."""
    return tuple(login for path in paths for login in _logins(path, limits, root))


def logins_of(configuration: Any, source: str) -> list[Login]:
    """Logins in one parsed `config.json`: `auths`, and `credHelpers` for what is not among them."""
    if not isinstance(configuration, dict):
        raise NotMeasured(f"{source}: not a Docker client's configuration")
    auths, helpers = (_section(configuration, name, source) for name in ("auths", "credHelpers"))
    named = [Login(registry, username(entry), source) for registry, entry in auths.items()]
    return named + [Login(registry, None, source) for registry in helpers if registry not in auths]


def username(entry: Any) -> str | None:
    """The part before the colon of an `auth`: without one it is all secret. Tokens and credential stores tell none."""
    if not isinstance(entry, dict):
        return None
    plain = entry.get("username")
    if isinstance(plain, str) and plain:
        return plain
    try:
        name, colon, _ = base64.b64decode(str(entry.get("auth") or ""), validate=True).partition(b":")
        return name.decode() if name and colon else None
    except (binascii.Error, ValueError):
        return None


def _logins(path: str, limits: Limits, root: str) -> list[Login]:
    file = Path(inside(root, path))
    try:
        if file.is_dir():
            file = file / "config.json"
        if not file.is_file():
            return []
    except OSError as error:
        raise NotMeasured(why(error, path)) from error
    try:
        return logins_of(json.loads(read_text(str(file), limits)), str(file))
    except (ValueError, RecursionError):
        # Not "from" the parser's error: that one quotes the file, secrets included.
        raise NotMeasured(f"{file}: not JSON") from None


def _section(configuration: dict[str, Any], name: str, source: str) -> dict[str, Any]:
    section = configuration.get(name) or {}
    if not isinstance(section, dict):
        raise NotMeasured(f"{source}: {name} is not an object")
    return section
