"""What a session allows, and what ends it."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client, RequestFactory
from django.utils import timezone

from launchplane.access.models import User
from launchplane.web import recent_password
from tests.factories import PASSWORD, a_person

ANOTHER = "another one altogether"


def logged_in(name: str = "ann", password: str = PASSWORD) -> Client:
    """By the page, as a person does."""
    client = Client()
    assert client.post("/accounts/login/", {"username": name, "password": password}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def given_lately(client: Client) -> bool:
    """Whether the password counts as given, as far as this session knows."""
    request = RequestFactory().get("/")
    request.session = client.session
    given = recent_password.given_at(request)
    return given is not None and timezone.now() - given < timedelta(minutes=15)


def choose(client: Client) -> int:
    typed = {"old_password": PASSWORD, "new_password1": ANOTHER, "new_password2": ANOTHER}
    return client.post("/accounts/password/", typed).status_code


def test_a_login_counts_as_the_password_being_given(ann: User) -> None:
    assert given_lately(logged_in())


def test_a_session_that_began_without_a_password_has_none(ann: User, client: Client) -> None:
    client.force_login(ann)
    assert not given_lately(client)


def test_logging_out_drops_it(ann: User) -> None:
    client = logged_in()
    client.post("/accounts/logout/")
    assert not is_in(client)
    assert "password_at" not in client.session


def test_choosing_another_password_drops_it_and_ends_all_other_sessions(ann: User) -> None:
    here, there = logged_in(), logged_in()
    assert choose(here) == 302
    assert is_in(here)
    assert not given_lately(here)
    assert not is_in(there)
    assert given_lately(logged_in(password=ANOTHER))


def test_a_password_set_by_an_administrator_ends_the_sessions_of_that_person_alone(admin: User, ann: User) -> None:
    hers, boss = logged_in(), logged_in("admin")
    typed = {"password1": ANOTHER, "password2": ANOTHER}
    assert boss.post(f"/admin/access/user/{ann.pk}/password/", typed).status_code == 302
    assert (is_in(hers), is_in(boss)) == (False, True)


def test_an_open_browser_is_not_enough_to_set_one_s_own_password(admin: User) -> None:
    boss = logged_in("admin")
    typed = {"password1": ANOTHER, "password2": ANOTHER}
    answer = boss.post(f"/admin/access/user/{admin.pk}/password/", typed)
    assert answer["Location"] == "/accounts/password/"
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)


@pytest.mark.parametrize("how", ["is_active", "deleted"])
def test_an_account_that_is_closed_or_gone_is_logged_out_at_once(ann: User, how: str) -> None:
    hers = logged_in()
    if how == "deleted":
        ann.delete()
    else:
        ann.is_active = False
        ann.save()
    assert not is_in(hers)


def test_a_login_begins_a_session_of_its_own(ann: User) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.session["planted"] = "by somebody else"
    before = client.session.session_key
    client.post("/accounts/login/", {"username": "ann", "password": PASSWORD})
    assert client.session.session_key != before


def test_the_session_s_cookie_is_for_this_server_alone(ann: User) -> None:
    cookie = logged_in().cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert django_settings.PUBLIC_URL.startswith("https://") == django_settings.SESSION_COOKIE_SECURE
    assert django_settings.SESSION_COOKIE_AGE == 12 * 3600


def test_whoever_is_logged_in_in_the_same_browser_next_has_nothing_of_the_last(ann: User) -> None:
    a_person("bob")
    client = logged_in()
    client.post("/accounts/login/", {"username": "bob", "password": PASSWORD})
    request = RequestFactory().get("/")
    request.session = client.session
    assert recent_password.given_at(request) is not None
    assert client.get("/").wsgi_request.user.get_username() == "bob"
