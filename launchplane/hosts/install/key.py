"""The control plane's own ssh key: made once, kept private, never read by anything but ssh and this."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from launchplane.hosts.errors import HostUnavailable
from launchplane.key_files import make_once

LARGEST: Final = 64 * 1024


def public_key(path: Path) -> str:
    """The public half of the key at `path`, as authorized_keys has it. Raises HostUnavailable."""
    try:
        with path.open("rb") as file:
            key = load_ssh_private_key(file.read(LARGEST), password=None)
    except OSError as error:
        raise _unusable(path, error.strerror or "it can't be read") from error
    except (ValueError, TypeError) as error:
        raise _unusable(path, "it is no private key of OpenSSH, or has a passphrase") from error
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")


def make_key(path: Path) -> None:
    """A new Ed25519 key at `path`, mode 0600, unless something is there. Raises HostUnavailable."""
    key = Ed25519PrivateKey.generate()
    try:
        make_once(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    except OSError as error:
        raise _unusable(path, f"it can't be made: {error.strerror}") from error


def _unusable(path: Path, why: str) -> HostUnavailable:
    return HostUnavailable("ssh_identity_unusable", f"The key file {path} can't be used: {why}.")
