"""The keys of the tokens' issuer: fetched seldom, kept when a fetch gives none, and never fetched by a flood."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from launchplane.access.models import IssuerKeys
from launchplane.access.not_let_in import NotLetIn
from launchplane.access.oidc import fetch, keys
from launchplane.problems import Problem, Waits
from tests.access.making import believed
from tests.fakes.issuer import KEYS, PATH, Issuer
from tests.fakes.loopback import answers
from tests.faults import Behaviour, drips, hangs, html, raw, speaks

pytestmark = pytest.mark.django_db

HUGE = b'{"keys": [' + b" " * (fetch.LONGEST_BYTES + 1) + b"]}"
GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
NO_USE: dict[str, Behaviour] = {
    "down": answers(503),
    "gone": raw(b""),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "elsewhere": answers(302, {}, location="http://127.0.0.1:1/"),
    "empty": answers(200, {"keys": []}),
    "nothing": speaks(b""),
    "a page": html(),
    "a list": answers(200, []),
    "no list": answers(200, {"keys": {"kid": "x"}}),
    "odd entries": answers(200, {"keys": [None, 7, {}, {"kid": 7}, {"kid": "a", "kty": "RSA", "n": 7, "e": "AQAB"}]}),
    "deep": speaks(b"[" * 100_000),
    "huge": speaks(HUGE),
    "compressed": raw(GZIP),
    "bytes": speaks(b"\xff\xfe"),
    "hangs": hangs,
    "drips": drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b" " * 9999),
}


@pytest.fixture
def issuer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    monkeypatch.setattr(fetch, "ANSWER_SECONDS", 0.3)  # so that those which never end do
    with believed(settings) as issuer:
        yield issuer


def a_while_passes(how_long: timedelta = timedelta(minutes=1, seconds=1)) -> None:
    """As if what is stored had been stored that much earlier."""
    row = IssuerKeys.objects.get()
    tried, fetched = row.tried_at, row.fetched_at
    IssuerKeys.objects.update(tried_at=tried and tried - how_long, fetched_at=fetched and fetched - how_long)


def code_of(issuer: Issuer, kid: str) -> str:
    """What comes of asking for a key: "known", or the code of the refusal."""
    try:
        keys.key(issuer.jwks_url, kid)
    except Problem as problem:
        return problem.code
    return "known"


def test_keys_are_fetched_once_for_many_tokens(issuer: Issuer) -> None:
    assert [code_of(issuer, issuer.kid) for _ in range(5)] == ["known"] * 5
    assert issuer.asked == 1


def test_an_unknown_key_is_asked_for_at_most_once_a_minute(issuer: Issuer) -> None:
    assert code_of(issuer, issuer.kid) == "known"
    assert {code_of(issuer, f"random-{number}") for number in range(20)} == {"token_key_unknown"}
    assert issuer.asked == 1

    a_while_passes()

    assert {code_of(issuer, f"random-{number}") for number in range(20)} == {"token_key_unknown"}
    assert issuer.asked == 2


@pytest.mark.django_db(transaction=True)
def test_a_flood_of_unknown_keys_at_once_fetches_once(issuer: Issuer) -> None:
    together = threading.Barrier(30)

    def ask(number: int) -> str:
        together.wait()
        try:
            return code_of(issuer, f"random-{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(30) as threads:
        codes = list(threads.map(ask, range(30)))

    assert issuer.asked == 1
    assert set(codes) <= {"token_key_unknown", "issuer_keys_unavailable"}


def test_a_rotated_key_is_found_and_the_old_one_is_no_more(issuer: Issuer) -> None:
    old = issuer.kid
    assert code_of(issuer, old) == "known"
    issuer.rotate()
    assert code_of(issuer, issuer.kid) == "token_key_unknown"

    a_while_passes()

    assert code_of(issuer, issuer.kid) == "known"
    assert code_of(issuer, old) == "token_key_unknown"


def test_keys_are_fetched_anew_after_an_hour(issuer: Issuer) -> None:
    assert code_of(issuer, issuer.kid) == "known"
    a_while_passes(keys.AGED)

    assert code_of(issuer, issuer.kid) == "known"
    assert issuer.asked == 2


@pytest.mark.parametrize("what", NO_USE)
def test_old_keys_are_kept_when_no_new_ones_come(issuer: Issuer, what: str) -> None:
    assert code_of(issuer, issuer.kid) == "known"
    issuer.fault(KEYS, NO_USE[what])
    a_while_passes(keys.AGED)

    assert code_of(issuer, issuer.kid) == "known"
    assert issuer.asked == 2
    assert code_of(issuer, "another") == "issuer_keys_unavailable"
    assert issuer.asked == 2


@pytest.mark.parametrize("what", NO_USE)
def test_without_any_key_it_is_not_known_whether_a_token_is_good(issuer: Issuer, what: str) -> None:
    issuer.fault(KEYS, NO_USE[what])

    with pytest.raises(Waits) as caught:
        keys.key(issuer.jwks_url, issuer.kid)

    assert caught.value.code == "issuer_keys_unavailable"


def test_what_was_down_is_asked_again_after_a_minute(issuer: Issuer) -> None:
    fault = issuer.fault(KEYS, answers(503))
    assert code_of(issuer, issuer.kid) == "issuer_keys_unavailable"
    fault.times = 0
    assert code_of(issuer, issuer.kid) == "issuer_keys_unavailable"

    a_while_passes()

    assert code_of(issuer, issuer.kid) == "known"


def test_keys_that_nobody_could_fetch_for_a_week_are_not_believed_any_more(issuer: Issuer) -> None:
    assert code_of(issuer, issuer.kid) == "known"
    issuer.fault(KEYS, answers(503))
    a_while_passes(keys.KEPT)

    assert code_of(issuer, issuer.kid) == "issuer_keys_unavailable"


def test_a_clock_that_was_wrong_stops_no_fetch(issuer: Issuer) -> None:
    IssuerKeys.objects.create(url=issuer.jwks_url, tried_at=timezone.now() + timedelta(days=9))

    assert code_of(issuer, issuer.kid) == "known"


def test_nobody_is_there(issuer: Issuer, settings: Settings) -> None:
    with pytest.raises(Waits):
        keys.key(f"http://127.0.0.1:1{PATH}", "key-1")


def test_another_address_has_other_keys(issuer: Issuer) -> None:
    assert code_of(issuer, issuer.kid) == "known"
    with Issuer() as other:
        other.rotate()
        with pytest.raises(NotLetIn):
            keys.key(other.jwks_url, issuer.kid)
