"""Wrong passwords: so many, then a wait, at every door, with nobody kept out by somebody else's."""

import json
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.models import F
from django.test import Client
from pytest_django import Settings

from audits.models import AuditRecord
from launchplane.access import passwords
from launchplane.access.authenticate import person_at_shell
from launchplane.access.models import CredentialChange, Tries, User
from launchplane.access.passwords import Place
from launchplane.problems import Problem
from tests.factories import PASSWORD, a_person
from tests.web.reading import text_of

HERE = Place("address:192.0.2.1", "192.0.2.1", source="web")
NOT_IT = "wrong"
WRONG = "Please enter a correct username and password"
TOO_MANY = "Too many wrong passwords for this name, so none is looked at before"


def code_of(username: str, password: str = NOT_IT, at: Place = HERE) -> str:
    """The code of the refusal; empty where the password was right."""
    try:
        passwords.check(username, password, wanted="log in", at=at)
    except Problem as problem:
        return problem.code
    return ""


def elsewhere(number: int) -> Place:
    return Place(f"address:198.51.100.{number}", "elsewhere", source="web")


def later(span: timedelta) -> None:
    """As if so much time had gone by since all that was tried."""
    Tries.objects.update(since=F("since") - span)


def test_after_five_wrong_ones_not_even_the_right_one_is_looked_at(ann: User) -> None:
    assert [code_of("ann") for _ in range(5)] == ["not_authenticated"] * 5
    assert code_of("ann", PASSWORD) == "too_many_tries"
    later(timedelta(minutes=14))
    assert code_of("ann", PASSWORD) == "too_many_tries"
    later(timedelta(minutes=1))
    assert code_of("ann", PASSWORD) == ""


def test_asking_while_one_has_to_wait_makes_the_wait_no_longer(ann: User) -> None:
    for _ in range(20):
        code_of("ann")
    later(timedelta(minutes=15))
    assert code_of("ann", PASSWORD) == ""


def test_a_right_one_forgets_the_wrong_ones(ann: User) -> None:
    for _ in range(4):
        assert [code_of("ann") for _ in range(4)] == ["not_authenticated"] * 4
        assert code_of("ann", PASSWORD) == ""


def test_somebody_elsewhere_keeps_nobody_out_but_the_account_has_a_limit_of_its_own(ann: User) -> None:
    for number in range(6):
        assert {code_of("ann", at=elsewhere(number)) for _ in range(5)} == {"not_authenticated"}
    assert code_of("ann", PASSWORD, elsewhere(9)) == "too_many_tries"
    known = Place("browser:hers", "a browser that was used before", source="web", known=True)
    assert code_of("ann", PASSWORD, known) == ""
    later(timedelta(minutes=59))
    assert code_of("ann", PASSWORD, elsewhere(9)) == "too_many_tries"
    later(timedelta(minutes=1))
    assert code_of("ann", PASSWORD, elsewhere(9)) == ""


def test_one_account_s_limit_is_no_other_s(ann: User) -> None:
    a_person("bob")
    for number in range(8):
        for _ in range(5):
            code_of("ann", at=elsewhere(number))
    assert code_of("bob", PASSWORD, elsewhere(0)) == ""


def test_a_name_that_is_nobody_s_is_answered_like_one_that_is(ann: User) -> None:
    def answers(name: str) -> list[str]:
        return [code_of(name) for _ in range(7)] + [code_of(name, at=elsewhere(n % 20)) for n in range(60)]

    assert answers("ann") == answers("nobody-at-all")


def test_a_name_in_other_letters_is_the_same_name(ann: User) -> None:
    for name in ("ann", "Ann", "ANN", "aNN", "anN"):
        code_of(name)
    assert code_of("ann", PASSWORD) == "too_many_tries"


def test_each_wrong_one_is_on_record_until_there_are_sixty_in_an_hour(ann: User) -> None:
    before = AuditRecord.objects.count()
    for number in range(100):
        code_of(f"guess-{number}")
    records = AuditRecord.objects.order_by("seq")[before:]
    assert len(records) == 60
    assert "not recorded, for 1:00:00" in records[59].payload
    assert "not recorded" not in records[58].payload


def test_what_was_typed_as_a_name_is_never_written_down_unless_it_is_one(ann: User) -> None:
    code_of("my secret by mistake")
    record = AuditRecord.objects.latest("seq")
    assert (record.kind, record.key, record.status) == ("access.denied", "an unknown name", "failed")
    assert "my secret" not in record.payload
    assert not Tries.objects.filter(key__contains="secret").exists()
    code_of("ann")
    record = AuditRecord.objects.latest("seq")
    assert record.key == "ann"
    assert json.loads(record.payload) == {"wanted": "log in", "why": "wrong name or password", "from": "192.0.2.1"}


def test_what_was_tried_long_ago_is_swept(ann: User) -> None:
    for number in range(10):
        code_of(f"guess-{number}")
    later(timedelta(hours=1))
    code_of("ann")
    assert Tries.objects.count() == 3  # this place, this account, what is on record


def test_if_tries_cannot_be_counted_no_password_is_looked_at(ann: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_tries RENAME TO elsewhere")
    try:
        assert code_of("ann", PASSWORD) == "tries_unknown"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO access_tries")


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_are_ten() -> None:
    """Each is counted before it is looked at: nobody gets more than five by asking at the same time."""
    a_person("ann")
    codes, together = [], Barrier(10)

    def attempt() -> None:
        together.wait()
        codes.append(code_of("ann"))
        connection.close()

    threads = [Thread(target=attempt) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["not_authenticated"] * 5 + ["too_many_tries"] * 5


def log_in(client: Client, password: str = NOT_IT, name: str = "ann", **sent: str) -> tuple[int, str]:
    response = client.post("/accounts/login/", {"username": name, "password": password}, **sent)  # type: ignore[arg-type]
    return response.status_code, "" if response.status_code == 302 else text_of(response)


def test_the_login_page_says_how_long_to_wait_and_keeps_the_name(ann: User) -> None:
    client = Client()
    assert all(WRONG in log_in(client)[1] for _ in range(5))
    response = client.post("/accounts/login/", {"username": "ann", "password": PASSWORD})
    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 900
    assert f"{TOO_MANY}" in text_of(response)
    assert "(15 minutes from now)" in text_of(response)
    assert 'value="ann"' in response.content.decode()
    assert PASSWORD not in response.content.decode()


def test_a_browser_that_was_used_before_is_not_kept_out_by_others(ann: User) -> None:
    hers = Client()
    assert log_in(hers, PASSWORD)[0] == 302
    hers.post("/accounts/logout/")
    for number in range(8):
        for _ in range(5):
            log_in(Client(), REMOTE_ADDR=f"198.51.100.{number}")
    assert log_in(Client(), PASSWORD)[0] == 429
    assert log_in(hers, PASSWORD)[0] == 302
    cookie = hers.cookies["launchplane_browser"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/accounts/login/")


def test_a_browser_known_for_one_account_is_not_known_for_another(ann: User) -> None:
    a_person("bob")
    browser = Client()
    log_in(browser, PASSWORD, "bob")
    for _ in range(5):
        log_in(Client())
    assert log_in(browser, PASSWORD)[0] == 429


@pytest.mark.parametrize("forged", ["", "x", "eyJhIjoiYiJ9:1abc:def", "\x01"])
def test_a_forged_cookie_is_none(ann: User, forged: str) -> None:
    browser = Client()
    browser.cookies["launchplane_browser"] = forged
    for _ in range(5):
        log_in(browser)
    assert log_in(browser, PASSWORD)[0] == 429


def test_all_addresses_of_one_network_of_ipv6_are_one_place(ann: User) -> None:
    for number in range(5):
        log_in(Client(), REMOTE_ADDR=f"2001:db8::{number}")
    assert log_in(Client(), PASSWORD, REMOTE_ADDR="2001:db8::99")[0] == 429
    assert log_in(Client(), PASSWORD, REMOTE_ADDR="2001:db8:0:1::1")[0] == 302


def test_choosing_another_password_asks_for_the_old_one_no_more_often_than_that(ann: User, client: Client) -> None:
    client.force_login(ann)

    def change(old: str) -> str:
        typed = {"old_password": old, "new_password1": "a wholly new one", "new_password2": "a wholly new one"}
        response = client.post("/accounts/password/", typed)
        return "" if response.status_code == 302 else text_of(response)

    assert all("Your old password was entered incorrectly" in change("wrong") for _ in range(5))
    assert TOO_MANY in change(PASSWORD)
    later(timedelta(minutes=15))
    assert change(PASSWORD) == ""


def test_the_settings_have_no_page_for_passwords_of_their_own(ann: User, client: Client) -> None:
    client.force_login(ann)
    assert client.get("/admin/password_change/")["Location"] == "/accounts/password/"


def test_at_a_shell_there_is_the_same_limit(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAUNCHPLANE_PASSWORD", "wrong")
    for _ in range(5):
        with pytest.raises(Problem, match="do not belong together"):
            person_at_shell("ann")
    monkeypatch.setenv("LAUNCHPLANE_PASSWORD", PASSWORD)
    with pytest.raises(Problem, match=TOO_MANY):
        person_at_shell("ann")
    later(timedelta(minutes=15))
    assert person_at_shell("ann").user == ann


def test_a_hash_made_stronger_is_no_new_password(ann: User, settings: Settings, client: Client) -> None:
    User.objects.filter(pk=ann.pk).update(password=make_password(PASSWORD), password_is_initial=True)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher", *settings.PASSWORD_HASHERS]
    before = CredentialChange.objects.count(), AuditRecord.objects.count()
    assert log_in(client, PASSWORD)[0] == 302
    ann.refresh_from_db()
    assert ann.password.startswith("scrypt$")
    assert ann.password_is_initial
    assert (CredentialChange.objects.count(), AuditRecord.objects.count()) == before
    assert client.get("/").status_code == 200


def test_passwords_are_looked_at_in_one_place() -> None:
    root = Path(django_settings.BASE_DIR)
    found = set()
    for path in (file for part in ("launchplane", "hygiene", "audits") for file in (root / part).rglob("*.py")):
        if any(word in path.read_text() for word in ("contrib.auth import authenticate", ".check_password(")):
            found.add(path.relative_to(root).as_posix())
    assert found == {"launchplane/access/passwords.py"}
