"""How a known secret may be written: plain, percent-encoded, escaped as in JSON, in base64, in hexadecimal."""

import base64
import re
from collections.abc import Iterator

import re2


def every_form(secret: str) -> str:
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
