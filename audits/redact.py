"""Secrets are taken out of what is recorded: by value in any usual encoding, by the name of a field, by their looks.

Nothing safe can be said of a secret by its looks alone (a runner's registration token is 29 plain letters and digits),
so whoever holds a live one registers it: `with LIVE.holding(token): ...`.
"""

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from enum import Enum
from pathlib import PurePath
from threading import Lock
from typing import Any
from uuid import UUID

import re2
from pydantic import BaseModel

REDACTED = "[redacted]"
WITHHELD = "[withheld: it could not be redacted]"
SHORTEST = 8  # a shorter secret would be found in innocent words

NAMES_OF_SECRETS = {
    *("password", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "tokens", "jwt", "bearer", "auth"),
    *("authorization", "cookie", "credential", "credentials", "apikey", "privatekey", "secretkey", "accesskey"),
    *("appkey", "signingkey", "encryptionkey", "deploykey"),
}
HARMLESS_NAMES = {"fencing_token"}

_NAME = r"[\w.-]*(?:password|passwd|pwd|passphrase|secret|token|authorization|(?:api|private|access)[_-]?key)s?"
_QUOTE = r"""\\*["']?"""
_VALUE = r"""(?:"[^"]*"|'[^']*'|(?:Bearer |Basic )?[^\s"',;&]+)"""
# what is found, and what is put in its place: \1 is what stood before the secret
LOOKS = (
    (r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)", REDACTED),
    (r"gh[pousr]_[A-Za-z0-9._\-]{36,}", REDACTED),
    (r"github_pat_[A-Za-z0-9_]{22,}", REDACTED),
    (r"\blp_[A-Za-z0-9_\-]{32,}", REDACTED),
    (r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{4,}\.[A-Za-z0-9_\-]*", REDACTED),
    (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", REDACTED),
    (r"(://[^/\s:@]*:)[^/\s@]+@", rf"\1{REDACTED}@"),
    (r"(?i)(\bbearer )[A-Za-z0-9._~+/=\-]{16,}", rf"\1{REDACTED}"),
    (rf"(?i)(--{_NAME} ){_VALUE}", rf"\1{REDACTED}"),
    (rf"(?i)((?:^|\W){_NAME}{_QUOTE}\s*[=:]\s*\\*){_VALUE}", rf"\1{REDACTED}"),
)
FOUND = [(re2.compile(pattern), replacement) for pattern, replacement in LOOKS]
SUSPICIOUS = re2.compile("|".join(f"(?:{pattern})" for pattern, _ in LOOKS))


class Redactor:
    """Takes the secrets that it knows, and what looks like one, out of plain values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._live: Counter[str] = Counter()
        self._known: Any = None
        self._lock = Lock()
        for secret in secrets:
            self.register(secret)

    def register(self, secret: str) -> None:
        """From now on `secret` is known by value. Raises ValueError for one of fewer than eight characters."""
        if len(secret) < SHORTEST:
            raise ValueError(f"a secret of fewer than {SHORTEST} characters cannot be redacted by value")
        self._count(secret, 1)

    def forget(self, secret: str) -> None:
        """Take back one `register` of `secret`."""
        self._count(secret, -1)

    def _count(self, secret: str, more: int) -> None:
        with self._lock:
            self._live[secret] += more
            self._live += Counter()  # keeps those above zero
            self._known = re2.compile("|".join(map(_every_form, self._live))) if self._live else None

    @contextmanager
    def holding(self, secret: str) -> Iterator[None]:
        """Within, `secret` is known by value."""
        self.register(secret)
        try:
            yield
        finally:
            self.forget(secret)

    def fields(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """`payload` as plain JSON values without secrets. A field that cannot be done is withheld as a whole."""
        plain: dict[str, Any] = {}
        for name, value in payload.items():
            kept = REDACTED if is_secret_name(name) else _or_withheld(self.value, value)
            _put(plain, _or_withheld(self.text, name), kept)
        return plain

    def value(self, value: Any) -> Any:
        """A value as plain JSON without secrets. Raises TypeError for what JSON cannot hold."""
        match value:
            case Mapping():
                return self._mapping(value)
            case list() | tuple():
                return [self.value(item) for item in value]
            case set() | frozenset():
                return sorted((self.value(item) for item in value), key=str)
            case BaseModel():
                return self.value(value.model_dump(mode="json"))
            case Enum():
                return self.value(value.value)
        return self._single(value)

    def _single(self, value: Any) -> Any:
        match value:
            case None | bool():
                return value
            case str() | UUID() | PurePath():
                return self.text(str(value))
            case int() | float():
                return value if self.text(str(value)) == str(value) else REDACTED
            case date():
                return value.isoformat()
        raise TypeError(f"{type(value).__name__} is nothing that a record can hold")

    def text(self, text: str) -> str:
        """`text` without secrets, and without the halves of characters that no database takes."""
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if (known := self._known) is not None:
            text = known.sub(REDACTED, text)
        if SUSPICIOUS.search(text):
            for look, replacement in FOUND:
                text = look.sub(replacement, text)
        return text

    def _mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for name, inner in value.items():
            _put(plain, self.text(str(name)), REDACTED if is_secret_name(str(name)) else self.value(inner))
        return plain


LIVE = Redactor()  # what every record of this process goes through


def is_secret_name(name: str) -> bool:
    """True for `registration_token`, `apiKey`, `X-Api-Key`; not for `token_name` or `fencing_token`."""
    if name.lower() in HARMLESS_NAMES:
        return False
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])", name)
    return bool({"".join(words[-count:]).lower() for count in (1, 2)} & NAMES_OF_SECRETS)


def _or_withheld(redact: Callable[[Any], Any], value: Any) -> Any:
    """What went wrong does not matter: the value must not get out as it is, and the record says so."""
    try:
        return redact(value)
    except Exception:
        return WITHHELD


def _put(plain: dict[str, Any], name: str, value: Any) -> None:
    """Two names may have become the same by redaction: neither value is lost."""
    number, free = 2, name
    while free in plain:
        number, free = number + 1, f"{name} {number}"
    plain[free] = value


def _every_form(secret: str) -> str:
    """A pattern of `secret` plain, percent-encoded and escaped as in JSON (each character by itself), base64 and hex.

    It is one of RE2, which takes no longer for hostile text than for any other.
    """
    encoded = secret.encode("utf-8", "surrogatepass")
    forms = ["".join(map(_escapes, re.findall(r"\\+|.", secret, re.DOTALL)))]
    forms += [_wrapped(core) for core in _base64_cores(encoded)]
    forms.append(f"(?i:{encoded.hex()})")
    return "|".join(f"(?:{form})" for form in forms)


def _escapes(text: str) -> str:
    """A pattern for one character (or a run of backslashes) in any of its forms."""
    if text.startswith("\\"):
        return rf"(?:\\{{{len(text)},}}|(?i:%5c){{{len(text)}}}|(?i:\\+u005c){{{len(text)}}})"
    percent = "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))
    units = text.encode("utf-16-be", "surrogatepass")
    unicode = "".join(rf"\\+u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    forms = [rf"\\*{re2.escape(text)}", f"(?i:{percent})", f"(?i:{unicode})"]
    if short := {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}.get(text):
        forms.append(rf"\\+{short}")
    if text == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def _base64_cores(secret: bytes) -> Iterator[str]:
    """The characters that stand for `secret` alone in the base64 of a longer text, for each place it may begin at."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret).decode()
        yield encoded[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]


def _wrapped(core: str) -> str:
    """Base64 of either alphabet, also when it is broken into lines or percent-encoded."""
    either = {"+": r"(?:[+\-]|%2[Bb])", "/": r"(?:\\*/|_|%2[Ff])"}
    return r"(?:\s|\\+[nr])*".join(either.get(character, character) for character in core)
