"""Every `LAUNCHPLANE_*` setting is read here, once, and is loud when it is wrong.

Each name may also be given as `LAUNCHPLANE_<NAME>_FILE`, the path of a file that holds the value.
"""

import os
import secrets
from pathlib import Path
from typing import Literal

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
}
# Settings of parts that are not built yet: an environment that holds them already is not wrong.
FORESEEN = {
    "GITHUB_API_URL",
    "GITHUB_TOKEN",
    "GITHUB_APP_ID",
    "GITHUB_APP_KEY",
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
    if unknown := sorted(names - KNOWN - FORESEEN):
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
