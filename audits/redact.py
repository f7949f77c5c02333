"""Secrets are taken out of what is recorded: by value in any usual encoding, by the name of a field, by their looks.

Nothing safe can be said of a secret by its looks alone (a runner's registration token is 29 plain letters and digits),
so whoever holds a live one registers it: `with LIVE.holding(token): ...`.
"""

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from enum import Enum
from functools import lru_cache, partial
from pathlib import PurePath
from threading import Lock
from typing import Any
from uuid import UUID

import re2
from pydantic import BaseModel

from audits.forms import every_form

REDACTED = "[redacted]"
WITHHELD = "[withheld: it could not be redacted]"
LINGERING = 50  # this many of those that an exception may still carry
SHORTEST = 8  # a shorter secret would be found in innocent words
LONGEST = 4096
PATTERN_BYTES = 256 * 1024 * 1024  # at most; what a pattern of the longest secret takes

NAMES_OF_SECRETS = {
    *("password", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "tokens", "jwt", "bearer", "auth"),
    *("authorization", "cookie", "credential", "credentials", "apikey", "privatekey", "secretkey", "accesskey"),
    *("appkey", "signingkey", "encryptionkey", "deploykey"),
}
HARMLESS_NAMES = {"fencing_token", "fencing_tokens"}

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


Text = Callable[[str], str]


class Redactor:
    """Takes the secrets that it knows, and what looks like one, out of plain values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._live: Counter[str] = Counter()
        # one pattern for each: RE2 gives up its fast automaton where many are one
        self._known: Mapping[str, Any] = {}
        self._lock = Lock()
        self._lingering: deque[str] = deque()
        for secret in secrets:
            self.register(secret)

    def register(self, secret: str) -> None:
        """From now on `secret` is known by value. Raises ValueError if it is shorter than 8 or longer than 4096."""
        if not SHORTEST <= len(secret) <= LONGEST:
            bound = f"fewer than {SHORTEST}" if len(secret) < SHORTEST else f"more than {LONGEST}"
            raise ValueError(f"a secret of {bound} characters cannot be redacted by value")
        self._count(secret, 1)

    def forget(self, secret: str) -> None:
        """Take back one `register` of `secret`."""
        self._count(secret, -1)

    def _count(self, secret: str, more: int) -> None:
        with self._lock:
            pattern = self._known.get(secret) or _pattern(secret)
            self._live[secret] += more
            self._live += Counter()  # keeps those above zero
            others = {known: found for known, found in self._known.items() if known != secret}
            now = others | ({secret: pattern} if secret in self._live else {})
            # the longest first: what is left of one that holds another would be its end
            self._known = dict(sorted(now.items(), key=lambda item: -len(item[0])))

    @contextmanager
    def holding(self, secret: str) -> Iterator[None]:
        """Within, `secret` is known by value; and if an exception leaves, for longer: it may carry the secret on."""
        self.register(secret)
        try:
            yield
        except BaseException:
            self._lingering.append(secret)
            if len(self._lingering) > LINGERING:
                self.forget(self._lingering.popleft())
            raise
        self.forget(secret)

    def fields(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """`payload` as plain JSON values without secrets. A field that cannot be done is withheld as a whole.

        Hardly any payload holds one: all texts are looked at at once before each is looked at by itself.
        """
        seen = Seen()
        plain = _plain_fields(payload, seen.text)
        if _or_withheld(self._suspects, "\n".join(seen.texts)) is False:
            return plain
        return _plain_fields(payload, self.text)

    def labels(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Texts by name without secrets; fast where there are none, for the many labels of a host."""
        texts = "\n".join((*labels, *labels.values()))
        if not any(map(is_secret_name, labels)) and _or_withheld(self._suspects, texts) is False:
            return dict(labels)
        return self.fields(labels)

    def text(self, text: str) -> str:
        """`text` without secrets, and without the halves of characters that no database takes; or withheld."""
        kept: str = _or_withheld(self._without_secrets, text)
        return kept

    def _without_secrets(self, text: str) -> str:
        text = _whole(text)
        for known in self._known.values():
            if known.search(text):  # to search first is twice as fast
                text = known.sub(REDACTED, text)
        if SUSPICIOUS.search(text):
            for look, replacement in FOUND:
                text = look.sub(replacement, text)
        return text

    def _suspects(self, text: str) -> bool:
        """Whether a line of `text` may hold a secret. What is found in a line alone is found there, too."""
        return any(known.search(text) for known in self._known.values()) or bool(SUSPICIOUS.search(text))


class Seen:
    """Remembers the texts of a payload, and leaves them."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def text(self, text: str) -> str:
        self.texts.append(text := _whole(text))
        return text


LIVE = Redactor()  # what every record of this process goes through


def _pattern(secret: str) -> Any:
    options = re2.Options()
    options.max_mem = PATTERN_BYTES
    return re2.compile(every_form(secret), options)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """True for `registration_token`, `apiKey`, `X-Api-Key`; not for `token_name` or `fencing_token`."""
    if name.lower() in HARMLESS_NAMES:
        return False
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+(?![a-z])", name)
    return bool({"".join(words[-count:]).lower() for count in (1, 2)} & NAMES_OF_SECRETS)


def _whole(text: str) -> str:
    """`text` without the halves of characters (surrogates) that JSON can say, and no database takes."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _plain_fields(payload: Mapping[str, Any], text: Text) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in payload.items():
        kept = REDACTED if is_secret_name(name) else _or_withheld(partial(_plain, text=text), value)
        _put(plain, _or_withheld(text, name), kept)
    return plain


def _or_withheld(redact: Callable[[Any], Any], value: Any) -> Any:
    """What went wrong does not matter: the value must not get out as it is, and the record says so."""
    try:
        return redact(value)
    except Exception:
        return WITHHELD


def _plain(value: Any, text: Text) -> Any:
    """A value as plain JSON, each text of it through `text`. Raises TypeError for what JSON cannot hold."""
    match value:
        case Enum():
            return _plain(value.value, text)
        case str():
            return text(value)
        case Mapping():
            return _plain_mapping(value, text)
        case list() | tuple():
            return [_plain(item, text) for item in value]
        case set() | frozenset():
            return sorted((_plain(item, text) for item in value), key=str)
    return _plain_single(value, text)


def _plain_single(value: Any, text: Text) -> Any:
    match value:
        case BaseModel():
            return _plain_mapping(value.model_dump(mode="json"), text)
        case None | bool():
            return value
        case UUID() | PurePath():
            return text(str(value))
        case int() | float():
            return value if text(str(value)) == str(value) else REDACTED
        case date():
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} is nothing that a record can hold")


def _plain_mapping(value: Mapping[Any, Any], text: Text) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, inner in value.items():
        _put(plain, text(str(name)), REDACTED if is_secret_name(str(name)) else _plain(inner, text))
    return plain


def _put(plain: dict[str, Any], name: str, value: Any) -> None:
    """Two names may have become the same by redaction: neither value is lost."""
    number, free = 2, name
    while free in plain:
        number, free = number + 1, f"{name} {number}"
    plain[free] = value
