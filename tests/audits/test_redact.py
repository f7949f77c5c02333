"""What must not be recorded is not recorded, in whatever form it comes; what must be, still is."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audits.contracts import Actor
from audits.redact import LIVE, REDACTED, WITHHELD, Redactor, is_secret_name
from launchplane.canonical import canonical

REGISTRATION = "AABBCCDDEEFFGGHHIIJJKKLLMMNN2"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOm8vciJ9.c2lnbmF0dXJl-_x"

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
secret_texts = st.text(characters, min_size=8, max_size=60).filter(lambda text: text not in REDACTED)
around = st.binary(max_size=7)

FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret)[1:-1])[1:-1],
    "canonical JSON": lambda secret: canonical([secret]).decode()[2:-2],
    "of a URL": quote,
    "of a URL, all of it": lambda secret: quote(secret, safe=""),
    "of a form": quote_plus,
    "of a URL in small letters": lambda secret: quote(secret, safe="").lower() if secret.islower() else quote(secret),
    "hex": lambda secret: secret.encode().hex(),
    "HEX": lambda secret: secret.encode().hex().upper(),
}


@pytest.mark.parametrize("form", FORMS)
@given(secret=secret_texts, before=st.text(characters, max_size=9), after=st.text(characters, max_size=9))
@example(secret='back\\slash"quote/', before="\\", after='"')
@example(secret=" " * 8, before="", after="")
@example(secret="hunter2-\n\t\x1f\x7f\u2028😀", before="", after="")
def test_a_known_secret_survives_in_no_form(form: str, secret: str, before: str, after: str) -> None:
    written = FORMS[form](secret)
    assert written not in Redactor([secret]).text(f"{before} {written} {after}")


@given(secret=secret_texts, before=around, after=around, web=st.booleans(), wrapped=st.booleans())
def test_a_known_secret_does_not_survive_in_base64(
    secret: str, before: bytes, after: bytes, web: bool, wrapped: bool
) -> None:
    """As in `Authorization: Basic`, where it stands behind a name, at any place in a group of three bytes."""
    whole = before + secret.encode() + after
    written = (base64.urlsafe_b64encode if web else base64.b64encode)(whole).decode()
    if wrapped:
        written = "\n".join(written[at : at + 10] for at in range(0, len(written), 10))
    kept = Redactor([secret]).text(written)
    assert REDACTED in kept
    assert len(kept.replace(REDACTED, "")) <= 4 * (len(before) + len(after)) // 3 + 12


@given(secret=secret_texts)
def test_a_known_secret_is_not_left_in_names_or_deep_values(secret: str) -> None:
    kept = Redactor([secret]).fields({secret: {secret: [{"deep": (secret, 1)}]}, "b": f"<{secret}>"})
    assert secret not in json.dumps(kept, ensure_ascii=False)
    assert kept["b"] == f"<{REDACTED}>"


def test_a_secret_that_is_a_number_is_found_in_numbers() -> None:
    assert Redactor(["1234567890"]).fields({"pin": 1234567890, "bytes": 12}) == {"pin": REDACTED, "bytes": 12}


@pytest.mark.parametrize(
    "name",
    ["password", "registration_token", "apiKey", "X-Api-Key", "GITHUB_APP_KEY", "Authorization", "Set-Cookie", "auth"],
)
def test_a_field_that_is_named_like_a_secret_is_replaced_whatever_it_holds(name: str) -> None:
    assert Redactor().fields({name: 7, "outer": {name: ["x"]}}) == {name: REDACTED, "outer": {name: REDACTED}}


@pytest.mark.parametrize(
    "name", ["fencing_token", "token_name", "key", "idempotency_key", "keys_seen", "author", "tokenizer"]
)
def test_a_field_that_only_sounds_like_a_secret_stays(name: str) -> None:
    assert not is_secret_name(name)
    assert Redactor().fields({name: 7}) == {name: 7}


LOOKS = [
    (f"pushed with ghp_{'a1B2' * 9}.", "a1B2a1B2"),
    (f"ghs_{JWT}", "c2lnbmF0dXJl"),
    (f"github_pat_{'a_1' * 10}", "a_1a_1"),
    (f"Authorization: Bearer {JWT}", "c2lnbmF0dXJl"),
    (f"id token {JWT}", "c2lnbmF0dXJl"),
    (f"curl -H 'authorization: Basic {'dXNlcjpwYXNz' * 2}'", "dXNlcjpw"),
    ("lp_" + "Ab3-" * 10, "Ab3-Ab3"),
    ("AWS AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"),
    ("postgres://launchplane:s3cr3t@db/launchplane", "s3cr3t"),
    (f"./config.sh --token {REGISTRATION} --url x", REGISTRATION),
    (f"RUNNER_TOKEN={REGISTRATION} ./config.sh", REGISTRATION),
    ('{"password": "two words"}', "two words"),
    ('{\\"password\\": \\"hidden\\"}', "hidden"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----", "b3BlbnNz"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow, and then the log ended", "MIIEow"),
]
SAID = [said for said, _ in LOOKS] + [REGISTRATION]


@pytest.mark.parametrize(("said", "secret"), LOOKS)
def test_what_looks_like_a_secret_is_taken_out(said: str, secret: str) -> None:
    assert secret not in Redactor().text(said)


@pytest.mark.parametrize(
    "said",
    [
        "sha256:" + "0f" * 32,
        "The token of ann expired",
        "ssh://deploy@chris-testing/srv",
        "odoo-docker:verify-devtools is basic information",
        "/ is at 31 % (< 80 %): keeping the local image cache, nothing to do",
        "buildx_buildkit_odoo-docker-chris-testing0_state",
    ],
)
def test_what_an_operator_has_to_read_stays(said: str) -> None:
    assert Redactor().text(said) == said


def test_a_field_that_cannot_be_redacted_is_withheld_as_a_whole() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    kept = Redactor().fields({"raw": b"\xff", "file": object(), "deep": deep, "fine": 1})
    assert kept == {"raw": WITHHELD, "file": WITHHELD, "deep": WITHHELD, "fine": 1}


def test_two_names_that_become_one_lose_neither_value() -> None:
    kept = Redactor(["secret-one", "secret-two"]).fields({"secret-one": 1, "secret-two": 2})
    assert kept == {REDACTED: 1, f"{REDACTED} 2": 2}


def test_values_become_plain_json() -> None:
    said = {
        "at": datetime(2026, 1, 8, tzinfo=UTC),
        "id": UUID(int=7),
        "path": PurePosixPath("/srv"),
        "who": Actor(id="1", name="ann"),
        "names": frozenset({"b", "a"}),
    }
    assert Redactor().fields(said) == {
        "at": "2026-01-08T00:00:00+00:00",
        "id": "00000000-0000-0000-0000-000000000007",
        "path": "/srv",
        "who": {"id": "1", "name": "ann", "responsible": []},
        "names": ["a", "b"],
    }


def test_a_secret_lives_as_long_as_anybody_holds_it() -> None:
    redactor = Redactor([REGISTRATION])
    with redactor.holding(REGISTRATION):
        pass
    assert redactor.text(REGISTRATION) == REDACTED
    redactor.forget(REGISTRATION)
    assert redactor.text(REGISTRATION) == REGISTRATION


def test_only_so_many_secrets_linger_after_exceptions() -> None:
    redactor = Redactor()
    for number in range(60):
        with pytest.raises(ZeroDivisionError), redactor.holding(f"secret-number-{number:03}"):
            raise ZeroDivisionError
    assert redactor.text("secret-number-009 secret-number-010") == f"secret-number-009 {REDACTED}"


@given(texts=st.lists(st.text(characters, max_size=30) | st.sampled_from(SAID), max_size=5))
@example(texts=["x", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIi.c2ln"])
@example(texts=["a", "token=hidden"])
def test_what_is_looked_at_together_is_found_as_well_as_by_itself(texts: list[str]) -> None:
    redactor = Redactor([REGISTRATION])
    kept = redactor.fields({str(number): text for number, text in enumerate(texts)})
    assert list(kept.values()) == [redactor.text(text) for text in texts]


def test_a_redactor_that_is_broken_lets_nothing_out() -> None:
    class Broken:
        def search(self, _text: str) -> None:
            raise RuntimeError("out of memory")

    redactor = Redactor([REGISTRATION])
    redactor._known = {REGISTRATION: Broken()}
    assert redactor.text("x") == WITHHELD
    assert redactor.fields({"why": "x", "bytes": 1}) == {WITHHELD: WITHHELD, f"{WITHHELD} 2": REDACTED}


def test_a_secret_that_is_too_short_is_refused_aloud() -> None:
    with pytest.raises(ValueError, match="fewer than 8"):
        LIVE.register("hunter2")


def test_hostile_text_takes_no_longer_than_other_text() -> None:
    redactor = Redactor([REGISTRATION, "\\" * 20])
    for hostile in ("a." * 200_000, "eyJ-" * 100_000, "\\" * 400_000, "-----BEGIN " * 40_000, "token=" * 60_000):
        redactor.text(hostile)


def test_as_many_and_as_long_secrets_as_may_be_live_at_once_are_all_found() -> None:
    secrets = [f"{number:02}" + "aZ3_-.x9" * 65 for number in range(60)]
    redactor = Redactor(secrets)
    said = redactor.text(" and ".join(secrets))
    assert said == " and ".join(["[redacted]"] * 60)


def test_a_secret_within_another_leaves_nothing_of_it() -> None:
    said = Redactor(["correct-horse", "correct-horse-battery-staple"]).text("it is correct-horse-battery-staple")
    assert said == "it is [redacted]"


def test_a_secret_that_is_too_long_is_refused_and_the_others_stay_known() -> None:
    redactor = Redactor(["correct-horse"])
    with pytest.raises(ValueError, match="4096"):
        redactor.register("x" * 4097)
    assert redactor.text("correct-horse") == "[redacted]"
    redactor.register("battery-staple")
    assert redactor.text("battery-staple") == "[redacted]"
