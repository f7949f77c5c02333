"""Whom ssh may talk to: what an operator typed, and the pinned key, checked before a program sees any of it.

Nothing that passes here can be read as an option, a pattern or a second line.
"""

import base64
import binascii
import hashlib
import ipaddress
import re
from dataclasses import dataclass
from typing import Self

from launchplane.hosts.errors import HostProblem

USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
TARGET = re.compile(r"(?P<user>[^@]*)@(\[(?P<v6>[^\]]*)\]|(?P<name>[^:\[\]]*))(:(?P<port>[0-9]{1,5}))?")
KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


@dataclass(frozen=True, slots=True)
class Target:
    """A user on a machine. `host` is a name or an address, IPv6 without brackets."""

    user: str
    host: str
    port: int = 22

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `user@host`, `user@host:port` or `user@[IPv6]:port`. Raises HostProblem."""
        found = TARGET.fullmatch(text)
        if found is None or not _is_usable(found):
            raise HostProblem(
                "ssh_target_invalid",
                f"{text[:80]!r} is no target for ssh: write user@host, user@host:port or user@[IPv6 address]:port",
            )
        return cls(found["user"], found["v6"] or found["name"], int(found["port"] or 22))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}" + (f":{self.port}" if self.port != 22 else "")


@dataclass(frozen=True, slots=True)
class HostKey:
    """A machine's public key: `type` and base64 `blob`, as `ssh-keyscan` prints them and `known_hosts` keeps them."""

    type: str
    blob: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """From one line such as `ssh-ed25519 AAAA… a comment`. Raises HostProblem."""
        words = text.split(maxsplit=2)
        if len(text.splitlines()) != 1 or len(words) < 2 or not _is_key(words[0], words[1]):
            raise HostProblem(
                "ssh_host_key_invalid",
                f"{text[:80]!r} is no host key: write one line such as ssh-ed25519 AAAA…, as it stands on the host in "
                "/etc/ssh/ssh_host_ed25519_key.pub",
            )
        return cls(words[0], words[1])

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it."""
        digest = base64.b64encode(hashlib.sha256(base64.b64decode(self.blob)).digest())
        return f"SHA256:{digest.decode().rstrip('=')}"

    def __str__(self) -> str:
        return f"{self.type} {self.blob}"


def _is_usable(found: re.Match[str]) -> bool:
    port = int(found["port"] or 22)
    return bool(USER.fullmatch(found["user"])) and _is_host(found["v6"], found["name"]) and 0 < port < 65536


def _is_host(v6: str | None, name: str | None) -> bool:
    if v6 is None:
        return NAME.fullmatch(name or "") is not None
    try:
        return ipaddress.IPv6Address(v6).scope_id is None
    except ipaddress.AddressValueError:
        return False


def _is_key(key_type: str, blob: str) -> bool:
    """The blob begins with its own type's name, behind its length (RFC 4253, 6.6)."""
    try:
        key = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return False
    name = key_type.encode("ascii", errors="replace")
    return key_type in KEY_TYPES and key.startswith(len(name).to_bytes(4) + name)
