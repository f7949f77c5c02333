"""The stand-in itself: as strict as GitHub, and its runner package as far as others see it."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.fakes.github import GithubServer
from tests.lanes.asking import SCOPE, TOKEN, asking, declared

RUNNERS = f"/repos/{SCOPE}/actions/runners"
HEADERS = {
    "Accept": "application/vnd.github+json",
    "User-Agent": "a test",
    "X-GitHub-Api-Version": "2022-11-28",
    "Authorization": f"token {TOKEN}",
}
PACKAGE = {"scope": SCOPE, "name": "lane-a", "labels": ["mine"], "version": "2.337.0", "ephemeral": False}


@pytest.fixture
def server() -> Iterator[GithubServer]:
    with GithubServer() as server:
        server.accept(TOKEN)
        yield server


def asked(server: GithubServer, method: str, path: str, **others: Any) -> requests.Response:
    return requests.request(
        method, server.url + path, timeout=10, allow_redirects=False, **{"headers": HEADERS} | others
    )


def told(server: GithubServer, path: str, authorization: str, **body: object) -> requests.Response:
    """What a runner says."""
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    return asked(server, "POST", f"/_runner/{path}", headers=headers, data=json.dumps(body) if body else None)


def token(server: GithubServer, kind: str = "registration", scope: str = SCOPE) -> str:
    github = asking(server.url)
    with declared(), (github.registration_token if kind == "registration" else github.remove_token)(scope) as held:
        return f"RemoteAuth {held.reveal()}"


def registered(server: GithubServer, **changes: object) -> tuple[int, str]:
    """The id and the authorization of a runner that registered."""
    answer = told(server, "register", token(server), **PACKAGE | changes).json()
    return answer["id"], f"Bearer {answer['secret']}"


@pytest.mark.parametrize(
    ("method", "path", "others"),
    [
        ("GET", "/repos/acme/shop", {}),
        ("GET", "/orgs/acme/actions/runners/", {}),
        ("PATCH", RUNNERS, {}),
        ("DELETE", RUNNERS, {}),
        ("GET", f"{RUNNERS}?per_page=101", {}),
        ("GET", f"{RUNNERS}?per_page=x", {}),
        ("GET", f"{RUNNERS}?page=0", {}),
        ("GET", f"{RUNNERS}?sort=name", {}),
        ("GET", RUNNERS, {"data": "{}"}),
        ("POST", f"{RUNNERS}/registration-token", {"json": {"name": "x"}}),
        *[
            ("GET", RUNNERS, {"headers": {k: v for k, v in HEADERS.items() if k != name}})
            for name in list(HEADERS)[::2]
        ],
    ],
)
def test_what_github_would_not_understand_is_refused(
    server: GithubServer, method: str, path: str, others: dict[str, Any]
) -> None:
    assert asked(server, method, path, **others).status_code == 400
    assert len(server.complaints) == 1


def test_a_page_has_thirty_unless_more_are_asked_for(server: GithubServer) -> None:
    for number in range(40):
        server.add_runner(SCOPE, f"lane-{number}")
    page = asked(server, "GET", RUNNERS).json()
    assert (page["total_count"], len(page["runners"])) == (40, 30)


def test_nobody_gets_in_without_a_token_it_knows(server: GithubServer) -> None:
    assert asked(server, "GET", RUNNERS, headers=HEADERS | {"Authorization": "token x"}).status_code == 401


def test_a_runner_registers_works_and_goes(server: GithubServer) -> None:
    number, bearer = registered(server)
    assert told(server, f"{number}/online", bearer, session="one").status_code == 204
    job = server.queue(SCOPE, "self-hosted", "Mine", run="echo hello")
    assert told(server, f"{number}/poll", bearer).json() == {"job": job, "run": "echo hello"}
    seen = asking(server.url).runner(SCOPE, number).runner
    assert seen is not None
    assert (seen.online, seen.busy, seen.labels[3:]) == (True, True, ("mine",))
    assert told(server, f"{number}/done", bearer, job=job, result="Succeeded", log="hello").status_code == 204
    assert server.finished[job].log == "hello"
    assert told(server, f"{number}/poll", bearer).status_code == 204
    assert told(server, f"{number}/offline", bearer).status_code == 204
    assert told(server, f"{number}/remove", token(server, "remove")).status_code == 204
    assert server.runners == {}


def test_a_job_waits_for_a_runner_with_its_labels(server: GithubServer) -> None:
    number, bearer = registered(server)
    told(server, f"{number}/online", bearer, session="one")
    server.queue(SCOPE, "self-hosted", "other")
    server.queue("acme/other", "self-hosted")
    assert told(server, f"{number}/poll", bearer).status_code == 204


def test_an_ephemeral_runner_is_gone_after_its_job(server: GithubServer) -> None:
    number, bearer = registered(server, ephemeral=True)
    told(server, f"{number}/online", bearer, session="one")
    job = server.queue(SCOPE)
    told(server, f"{number}/poll", bearer)
    told(server, f"{number}/done", bearer, job=job, result="Succeeded", log="")
    assert server.runners == {}


def test_a_token_is_for_one_scope_one_purpose_and_an_hour(server: GithubServer) -> None:
    assert told(server, "register", token(server, scope="acme/other"), **PACKAGE).status_code == 404
    assert told(server, "register", token(server, "remove"), **PACKAGE).status_code == 404
    late = token(server)
    server.ahead = timedelta(hours=1)
    assert told(server, "register", late, **PACKAGE).status_code == 404


def test_tokens_look_like_githubs(server: GithubServer) -> None:
    token(server)
    (made,) = server.one_time
    assert len(made) == 29
    assert set(made) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def test_a_name_is_taken_whatever_its_case(server: GithubServer) -> None:
    registered(server)
    assert told(server, "register", token(server), **PACKAGE | {"name": "LANE-A"}).status_code == 409


def test_a_second_session_is_a_conflict(server: GithubServer) -> None:
    number, bearer = registered(server)
    told(server, f"{number}/online", bearer, session="one")
    assert told(server, f"{number}/online", bearer, session="two").status_code == 409
    assert told(server, f"{number}/online", bearer, session="one").status_code == 204


def test_a_deleted_registration_is_not_found(server: GithubServer) -> None:
    number, bearer = registered(server)
    with declared():
        asking(server.url).delete_runner(SCOPE, number, our_id=number)
    assert told(server, f"{number}/online", bearer, session="one").status_code == 404


def test_a_version_that_is_over_gets_nothing(server: GithubServer) -> None:
    number, bearer = registered(server)
    server.deprecations["2.337.0"] = {"runtime_deprecates_at": "2026-01-01T00:00:00Z"}
    assert "is deprecated and cannot receive messages" in told(server, f"{number}/online", bearer, session="x").text
    assert told(server, "register", token(server), **PACKAGE | {"version": "2.328.0", "name": "b"}).status_code == 403


def test_busy_may_be_shown_too_late(server: GithubServer) -> None:
    number, bearer = registered(server)
    told(server, f"{number}/online", bearer, session="one")
    server.queue(SCOPE)
    told(server, f"{number}/poll", bearer)
    server.runners[number].shows_busy = False
    with declared():
        assert asking(server.url).delete_runner(SCOPE, number, our_id=number).was_there


def test_another_runner_cannot_speak_for_it(server: GithubServer) -> None:
    number, _ = registered(server)
    _, other = registered(server, name="lane-b")
    assert told(server, f"{number}/online", other, session="one").status_code == 401
