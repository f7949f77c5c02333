"""Signed heads. Whoever keeps one elsewhere can tell later that the chain up to there was never rewritten."""

from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils import timezone

from audits import segments
from audits.chain import FORMAT, NOTHING, Position
from audits.contracts import Checkpoint
from audits.errors import AuditRefused
from audits.models import ChainHead, moment
from launchplane.canonical import canonical
from launchplane.key_files import make_once

KEY = "keys/audit_ed25519.pem"
KEPT_APART = timedelta(hours=1)


def checkpoint() -> Checkpoint:
    """Sign the head, and keep that beside the segments. Raises AuditRefused if it cannot be kept."""
    return _kept(_sign(_head()))


def signed_head() -> Checkpoint:
    """The head, signed; as it was signed before where it is still the same. Raises AuditRefused.

    Of those that are only asked for, one an hour is kept beside the segments: whoever asks often fills no disk.
    """
    head, kept = _head(), _last_kept()
    if kept is not None and Position(kept.seq, kept.hash) == head and is_genuine(kept):
        return kept
    return _signed_once(head, public_key())


@lru_cache(maxsize=1)
def _signed_once(head: Position, _key: str) -> Checkpoint:
    signed, kept = _sign(head), _last_kept()
    if kept is None or not moment(timezone.now() - KEPT_APART) < kept.at <= signed.at:
        _kept(signed)
    return signed


def _last_kept() -> Checkpoint | None:
    try:
        lines = segments.checkpoint_lines()
        return Checkpoint.model_validate_json(lines[-1]) if lines else None
    except (OSError, ValueError) as error:
        raise AuditRefused(f"The heads that were signed before cannot be read: {error}") from error


def _head() -> Position:
    head = ChainHead.objects.first()
    return Position(head.seq, head.hash) if head else NOTHING


def _sign(head: Position) -> Checkpoint:
    now, key = moment(timezone.now()), public_key()
    unsigned = Checkpoint(seq=head.seq, hash=head.hash, at=now, public_key=key, signature="")
    signature = _private_key().sign(_signed_text(unsigned)).hex()
    return unsigned.model_copy(update={"signature": signature})


def _kept(signed: Checkpoint) -> Checkpoint:
    segments.keep_checkpoint(canonical(signed) + b"\n")
    return signed


def kept_checkpoints() -> list[Checkpoint]:
    """The heads that were signed so far. Raises ValueError for a line that is none."""
    return [Checkpoint.model_validate_json(line) for line in segments.checkpoint_lines()]


def is_genuine(signed: Checkpoint) -> bool:
    """True if our key signed exactly this."""
    if signed.public_key != public_key():
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.public_key))
        key.verify(bytes.fromhex(signed.signature), _signed_text(signed))
    except (InvalidSignature, ValueError):
        return False
    return True


def public_key() -> str:
    """The public half of our key, in hexadecimal."""
    return _private_key().public_key().public_bytes_raw().hex()


def known_public_key() -> str | None:
    """`public_key`, or None if there is no key: whoever only looks makes none."""
    return public_key() if _path().exists() else None


def _signed_text(signed: Checkpoint) -> bytes:
    return FORMAT.encode() + b"\n" + canonical(signed.model_dump(exclude={"signature"}))


def _private_key() -> Ed25519PrivateKey:
    """The key in the state directory (mode 0600); the first who asks makes it. Raises AuditRefused."""
    path = _path()
    if not path.exists():
        make_once(path, _pem(Ed25519PrivateKey.generate()))
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise AuditRefused(f"The key that signs heads, {path}, cannot be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditRefused(f"The key that signs heads, {path}, is no Ed25519 key.")
    return key


def _path() -> Path:
    return Path(settings.VAR) / KEY


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
