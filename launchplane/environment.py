"""Every `LAUNCHPLANE_*` setting is read here, once, and is loud when it is wrong.

Each name may also be given as `LAUNCHPLANE_<NAME>_FILE`, the path of a file that holds the value.
"""

import os
import re
import secrets
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from environs import FileAwareEnv

from launchplane.key_files import make_once

env = FileAwareEnv(prefix="LAUNCHPLANE_", eager=True)

KNOWN = {
    "VAR",
    "DATABASE_URL",
    "BIND",
    "PORT",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "PUBLIC_URL",
    "SANDBOX",
    "EVIDENCE_DIR",
    "SOLO_OPERATOR",
    "NOTIFY_URLS",
    "PASSWORD",
    "GITHUB_API_URL",
    "GITHUB_TOKEN",
    "GITHUB_APP_ID",
    "GITHUB_APP_KEY",
    "SSH_KEY",
    "EVIDENCE_PER_MINUTE",
    "OIDC_ISSUER",
    "OIDC_AUDIENCE",
    "OIDC_JWKS_URL",
}


def refuse_unknown_names() -> None:
    """Raise ValueError for a `LAUNCHPLANE_*` variable that nothing reads: most often a misspelt one."""
    names = {
        name.removeprefix("LAUNCHPLANE_").removesuffix("_FILE")
        for name in os.environ
        if name.startswith("LAUNCHPLANE_")
    }
    if unknown := sorted(names - KNOWN):
        raise ValueError(f"unknown setting LAUNCHPLANE_{unknown[0]}: known are {', '.join(sorted(KNOWN))}")


def state_directory(project_root: Path) -> Path:
    """`LAUNCHPLANE_VAR` (default `var/` in the project): database, keys, sandbox. Made with mode 0700."""
    directory = Path(env.str("VAR", str(project_root / "var"))).absolute()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def secret_key(keys: Path) -> str:
    """`LAUNCHPLANE_SECRET_KEY`, or the one that the first start made and keeps in `keys` (mode 0600)."""
    given = env.str("SECRET_KEY", "")
    if given:
        return str(given)
    path = keys / "secret_key"
    if not path.exists():
        make_once(path, secrets.token_urlsafe(50).encode())
    return path.read_text()


def sandbox_mode() -> Literal["auto", "always", "never"]:
    """When `script/server` makes a sandbox engine: if no engine answers, always, or never."""
    match env.str("SANDBOX", "auto"):
        case "auto":
            return "auto"
        case "always":
            return "always"
        case "never":
            return "never"
        case other:
            raise ValueError(f"LAUNCHPLANE_SANDBOX is {other!r}: it must be auto, always or never")


def github_api_url() -> str:
    """`LAUNCHPLANE_GITHUB_API_URL` without a slash at its end: https, or http to 127.x.x.x or localhost only.

    Raises ValueError, which does not show the address: it may hold a password.
    """
    return _address("GITHUB_API_URL", "https://api.github.com", why="tokens go over it")


def _address(name: str, default: str, *, why: str) -> str:
    """An address without a slash at its end: https, or http to 127.x.x.x or localhost only. Raises ValueError."""
    url = str(env.str(name, default)).rstrip("/")
    parts = urlsplit(url)
    loopback = re.fullmatch(r"localhost|127(?:\.[0-9]{1,3}){3}", parts.hostname or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise ValueError(f"LAUNCHPLANE_{name} must begin with https://: {why}")
    if not re.fullmatch(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._-]+)*", url) or parts.port == 0:
        raise ValueError(f"LAUNCHPLANE_{name} must be an address such as {default}, and no more")
    return url


class Oidc(NamedTuple):
    """Whose tokens of workflows are taken, for whom they have to be, and where the issuer's keys are."""

    issuer: str
    audience: str
    jwks_url: str


def oidc(public_url: str) -> Oidc:
    """`LAUNCHPLANE_OIDC_ISSUER` (default: GitHub's), `…_AUDIENCE` (`public_url`) and `…_JWKS_URL` (the issuer's).

    Raises ValueError. An issuer is compared as it is written, without a slash at its end.
    """
    issuer = _address("OIDC_ISSUER", "https://token.actions.githubusercontent.com", why="who may call hangs on it")
    audience = str(env.str("OIDC_AUDIENCE", public_url))
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", audience):
        raise ValueError("LAUNCHPLANE_OIDC_AUDIENCE must be 1 to 200 visible characters, such as this server's address")
    keys = _address("OIDC_JWKS_URL", f"{issuer}/.well-known/jwks", why="keys come over it")
    return Oidc(issuer, audience, keys)


def evidence_per_minute() -> int:
    """`LAUNCHPLANE_EVIDENCE_PER_MINUTE`: how much evidence is taken from one token or workflow. Raises ValueError."""
    found = env.int("EVIDENCE_PER_MINUTE", 600)
    if not 1 <= found <= 1_000_000:
        raise ValueError("LAUNCHPLANE_EVIDENCE_PER_MINUTE must be a number from 1 to 1000000")
    return int(found)


def ssh_key(keys: Path) -> Path:
    """`LAUNCHPLANE_SSH_KEY`, the path of the private key that hosts are reached with (default: one in `keys`).

    Raises ValueError for a key instead of a path, without showing it: ssh reads keys from files only.
    """
    given = str(env.str("SSH_KEY", "")).strip()
    if "PRIVATE KEY" in given or "\n" in given:
        raise ValueError("LAUNCHPLANE_SSH_KEY is a key, and has to be the path of a file that holds one")
    return Path(given).absolute() if given else keys / "ssh_key"


class GithubCredentials(NamedTuple):
    """A token, or an App's id and its private key as PEM text, or nothing: each "" where it is not given."""

    token: str
    app_id: str
    app_key: str


def github_credentials() -> GithubCredentials:
    """`LAUNCHPLANE_GITHUB_TOKEN`, or `LAUNCHPLANE_GITHUB_APP_ID` with `LAUNCHPLANE_GITHUB_APP_KEY`.

    Raises ValueError, which tells nothing of a secret, for both, for half of the second, and for what is neither.
    """
    names = ("GITHUB_TOKEN", "GITHUB_APP_ID", "GITHUB_APP_KEY")
    given = GithubCredentials(*(str(env.str(name, "")).strip() for name in names))
    if given.token and (given.app_id or given.app_key):
        raise ValueError("LAUNCHPLANE_GITHUB_TOKEN and LAUNCHPLANE_GITHUB_APP_… are both set: give one of them")
    if bool(given.app_id) != bool(given.app_key):
        raise ValueError("LAUNCHPLANE_GITHUB_APP_ID and LAUNCHPLANE_GITHUB_APP_KEY are of use together only")
    if given.token and not re.fullmatch(r"[\x21-\x7e]{8,}", given.token):
        raise ValueError("LAUNCHPLANE_GITHUB_TOKEN is not a token: it is too short, or has blanks or lines in it")
    if given.app_key and not _is_rsa_key(given.app_key):
        raise ValueError("LAUNCHPLANE_GITHUB_APP_KEY is not an RSA private key in PEM: use the file that GitHub gave")
    return given


def _is_rsa_key(text: str) -> bool:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return isinstance(load_pem_private_key(text.encode(), password=None), RSAPrivateKey)
    except (ValueError, TypeError):  # no key; one with a password
        return False
