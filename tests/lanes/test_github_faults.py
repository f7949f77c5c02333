"""What GitHub may do instead of answering: each a typed problem, in bounded time, and nothing is asked twice."""

import socket
from datetime import UTC, datetime, timedelta

import pytest

from lanes.github.client import Github
from lanes.github.errors import GithubDenied, GithubLimited, GithubProblem, GithubUnreachable
from tests.fakes.github import GithubServer
from tests.fakes.loopback import answers
from tests.faults import Behaviour, cut_off, drips, hangs, html, raw, speaks
from tests.lanes.asking import SCOPE, TOKEN, asking, declared
from tests.registry import free_port

ANY = r"(GET|POST|PUT|DELETE) .*"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


def problem(github: Github, scope: str = SCOPE) -> GithubProblem:
    with pytest.raises(GithubProblem) as caught:
        github.listing(scope)
    return caught.value


def problem_with(server: GithubServer, fault: Behaviour, *, seconds: int = 10) -> GithubProblem:
    server.fault(ANY, fault)
    found = problem(asking(server.url, seconds=seconds))
    assert len(server.calls) == 1
    assert TOKEN not in f"{found!r} {found.sentence}"
    return found


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (answers(500), "github_error"),
        (answers(502, {"message": "Server Error"}), "github_error"),
        (html(status=503), "github_error"),
        (html(), "github_unexpected_answer"),
        (speaks(b""), "github_unexpected_answer"),
        (speaks(b"null"), "github_unexpected_answer"),
        (speaks(b"[]"), "github_unexpected_answer"),
        (speaks(b'{"total_count": 0,'), "github_unexpected_answer"),
        (speaks(b"[" * 100_000), "github_unexpected_answer"),
        (speaks(b'{"total_count": ' + b"9" * 10_000 + b', "runners": []}'), "github_unexpected_answer"),
        (speaks(b"\xff\xfe\x00"), "github_unexpected_answer"),
        (answers(202), "github_unexpected_answer"),
        (answers(204), "github_error"),
        (answers(304), "github_error"),
        (speaks(b" " * (4 * 1024 * 1024 + 1)), "github_answer_too_large"),
        (cut_off({"total_count": 0, "runners": []}, after_bytes=10), "github_answer_cut"),
        (raw(b""), "github_answer_cut"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "github_answer_cut"),
        (raw(HEAD + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n{}"), "github_answer_cut"),
        (raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "github_answer_cut"),
        (raw(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"), "github_answer_cut"),
    ],
)
def test_an_answer_that_cannot_be_used_is_no_answer(server: GithubServer, fault: Behaviour, code: str) -> None:
    found = problem_with(server, fault)
    assert isinstance(found, GithubUnreachable)
    assert found.code == code


def test_numbers_of_the_rate_limit_that_are_none_are_passed_over(server: GithubServer) -> None:
    odd = {"x_ratelimit_limit": "inf", "x_ratelimit_remaining": "nan", "x_ratelimit_reset": "1e999"}
    server.fault(ANY, answers(200, {"total_count": 0, "runners": []}, **odd))
    assert asking(server.url).listing(SCOPE).complete


@pytest.mark.parametrize(
    "fault",
    [
        hangs,
        drips(HEAD + b"X-Slow: yes\r\n" * 1000),
        drips(HEAD + b"Content-Length: 4000\r\n\r\n[" + b" " * 4000),
        drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 1000),
    ],
)
def test_a_slow_answer_has_one_time_for_all_of_it(server: GithubServer, fault: Behaviour) -> None:
    assert problem_with(server, fault, seconds=1).code == "github_timed_out"


def test_nobody_at_the_address_is_unreachable() -> None:
    found = problem(asking(f"http://127.0.0.1:{free_port()}"))
    assert isinstance(found, GithubUnreachable)
    assert found.code == "github_unreachable"


def test_a_server_that_takes_no_connection_is_not_waited_for_long() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        found = problem(asking(f"http://127.0.0.1:{full.getsockname()[1]}", seconds=1))
        for one in crowd:
            one.close()
    assert found.code == "github_timed_out"


def test_plain_http_where_tls_is_expected_is_unreachable(server: GithubServer) -> None:
    found = problem(asking(server.url.replace("http://", "https://")))
    assert found.code == "github_unreachable"
    assert server.calls == []


def test_credentials_that_are_not_accepted_stop_the_scope(server: GithubServer) -> None:
    found = problem(asking(server.url, token="ghp_" + "wr0ng" * 8))
    assert isinstance(found, GithubDenied)
    assert found.code == "github_unauthorized"
    assert found.request_id
    assert len(server.calls) == 1


def test_a_right_that_is_missing_stops_the_scope(server: GithubServer) -> None:
    found = problem_with(server, answers(403, {"message": "Resource not accessible by personal access token"}))
    assert isinstance(found, GithubDenied)
    assert found.code == "github_forbidden"
    assert "Resource not accessible by personal access token" in found.sentence


def test_a_scope_that_is_hidden_stops_the_scope(server: GithubServer) -> None:
    server.accept(TOKEN, owners=["other"])
    assert problem(asking(server.url)).code == "github_not_found"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_the_token_goes_nowhere(server: GithubServer, status: int) -> None:
    with GithubServer() as elsewhere:
        found = problem_with(server, answers(status, location=f"{elsewhere.url}/repos/acme/shop/actions/runners"))
        assert elsewhere.calls == []
    assert found.code == "github_moved"
    assert found.request_id == "FA:17"


def test_a_redirect_at_the_same_server_is_not_followed_either(server: GithubServer) -> None:
    assert problem_with(server, answers(301, location="/repositories/1/actions/runners")).code == "github_moved"


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_says_when_to_try_again(server: GithubServer, status: int) -> None:
    clock = Clock()
    server.fault(ANY, answers(status, SECONDARY, retry_after="90"))
    found = problem(asking(server.url, clock=clock))
    assert isinstance(found, GithubLimited)
    assert found.try_again_at == clock.now + timedelta(seconds=90)


@pytest.mark.parametrize("after", ["Fri, 31 Dec 2027 23:59:59 GMT", "-5", "soon", "１"])
def test_a_secondary_limit_without_a_number_is_a_minute(server: GithubServer, after: str) -> None:
    clock = Clock()
    server.fault(ANY, answers(403, SECONDARY, retry_after=after.encode().decode("latin-1")))
    found = problem(asking(server.url, clock=clock))
    assert isinstance(found, GithubLimited)
    assert found.try_again_at == clock.now + timedelta(minutes=1)


def test_no_limit_holds_for_longer_than_an_hour(server: GithubServer) -> None:
    clock = Clock()
    server.fault(ANY, answers(403, SECONDARY, retry_after="999999999999"))
    found = problem(asking(server.url, clock=clock))
    assert isinstance(found, GithubLimited)
    assert found.try_again_at == clock.now + timedelta(hours=1)


def test_a_quota_that_is_used_up_waits_for_its_reset(server: GithubServer) -> None:
    server.remaining = 0
    clock = Clock()
    found = problem(asking(server.url, clock=clock))
    assert isinstance(found, GithubLimited)
    assert timedelta(minutes=29) < found.try_again_at - clock.now < timedelta(minutes=31)


def test_a_limit_is_kept_without_asking_until_it_is_over(server: GithubServer) -> None:
    clock = Clock()
    server.fault(ANY, answers(429, SECONDARY, retry_after="60"), times=1)
    github = asking(server.url, clock=clock)
    problem(github)
    clock.now += timedelta(seconds=59)
    assert isinstance(problem(github, "other/scope"), GithubLimited)
    assert len(server.calls) == 1
    clock.now += timedelta(seconds=1)
    assert github.listing(SCOPE).complete


@pytest.mark.req("M61")
@pytest.mark.parametrize("fault", [answers(500), answers(403, SECONDARY), cut_off({}, after_bytes=1), html()])
def test_asking_for_a_token_is_not_repeated(server: GithubServer, fault: Behaviour) -> None:
    server.fault(r"POST .*", fault)
    with pytest.raises(GithubProblem), declared(), asking(server.url).registration_token(SCOPE):
        pytest.fail("there is no token")
    assert len(server.calls) == 1


def test_what_github_says_is_quoted_without_secrets_and_printable(server: GithubServer) -> None:
    said = f"no\x1b[2J {'x' * 500} gho_{'a' * 40}"
    found = problem_with(server, answers(403, {"message": said}))
    assert "\x1b" not in found.sentence
    assert "gho_" not in found.sentence
    assert len(found.sentence) < 400


@pytest.mark.parametrize("document", [{"message": 5}, {"message": None}, ["message"], "message", 7])
def test_a_refusal_without_words_is_still_a_refusal(server: GithubServer, document: object) -> None:
    assert problem_with(server, answers(403, document)).code == "github_forbidden"


def test_a_request_id_that_is_none_is_left_out(server: GithubServer) -> None:
    found = problem_with(server, answers(500, None, x_github_request_id="<script>"))
    assert found.request_id == ""


def test_a_proxy_of_the_environment_sees_nothing_of_plain_http(
    server: GithubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with GithubServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert asking(server.url).listing(SCOPE).complete
        assert proxy.calls == []
