"""The files that the runner keeps in its own folder, with GitHub's names, fields and modes."""

import codecs
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SETTINGS, CREDENTIALS, KEY = ROOT / ".runner", ROOT / ".credentials", ROOT / ".credentials_rsaparams"
SERVICE, ENVIRONMENT, PATH = ROOT / ".service", ROOT / ".env", ROOT / ".path"
UPDATED = ROOT / "update.finished"


def version() -> str:
    """Of the package that was unpacked here."""
    return (ROOT / "bin" / "version").read_text(encoding="ascii").strip()


def settings() -> dict[str, Any]:
    """`.runner`; empty while there is none."""
    return _read(SETTINGS)


def secret() -> str:
    """What it shows to be itself: GitHub's has a private key, this one text in its place."""
    return str(_read(KEY).get("d", ""))


def save(found: dict[str, Any], *, client_id: str, secret: str) -> None:
    """Be configured: credentials first, `.runner` last, which is what counts."""
    data = {
        "clientId": client_id,
        "authorizationUrl": f"{found['serverUrl']}_apis/oauth2/token",
        "requireFipsCryptography": "True",
    }
    _write(CREDENTIALS, {"scheme": "OAuth", "data": data})
    _write(KEY, {"d": secret, "exponent": "AQAB", "modulus": ""}, mode=0o600)
    _write(SETTINGS, found)


def forget() -> None:
    """Be configured no more."""
    for path in (CREDENTIALS, KEY, SETTINGS):
        path.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return found


def _write(path: Path, document: dict[str, Any], mode: int | None = None) -> None:
    path.touch()
    if mode is not None:
        path.chmod(mode)
    path.write_bytes(codecs.BOM_UTF8 + json.dumps(document, indent=2).encode())
