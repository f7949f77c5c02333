"""Registration and remove tokens: asked for by a running change only, and to be found nowhere."""

import json
import logging
import pickle
import traceback

import pytest

from audits.redact import LIVE, REDACTED
from lanes.github import calls
from lanes.github.client import Github
from lanes.github.errors import GithubProblem
from lanes.github.tokens import OneTimeToken
from launchplane.problems import Refused
from tests.fakes.github import GithubServer
from tests.fakes.loopback import answers
from tests.faults import cut_off
from tests.lanes.asking import SCOPE, TOKEN, declared


def shows(token: OneTimeToken) -> str:
    return f"{token} {token!r} {[token]} {vars(type(token)).get('__dict__')} {json.dumps(token, default=str)}"


@pytest.mark.req("M61")
def test_a_running_change_gets_the_token_that_it_declared(server: GithubServer, github: Github) -> None:
    with declared(calls.REGISTRATION_TOKEN), github.registration_token(SCOPE) as token:
        (known,) = server.one_time
        assert token.reveal() == known
        assert (server.one_time[known].purpose, server.one_time[known].scope) == ("registration", SCOPE)
        assert token.expires_at > server.now()
        assert token.request_id


@pytest.mark.req("M61")
def test_a_remove_token_is_another_one(server: GithubServer, github: Github) -> None:
    with declared(calls.REMOVE_TOKEN), github.remove_token(SCOPE) as token:
        assert server.one_time[token.reveal()].purpose == "remove"


@pytest.mark.req("M22", "M61")
@pytest.mark.parametrize("ask", [Github.registration_token, Github.remove_token])
def test_outside_of_a_running_change_no_token_is_asked_for(server: GithubServer, github: Github, ask: object) -> None:
    with pytest.raises(Refused) as caught, ask(github, SCOPE):  # type: ignore[operator]  # one of the two
        pytest.fail("there is no token")
    assert caught.value.code == "no_running_change"
    assert server.calls == []


@pytest.mark.req("M61")
def test_a_change_that_removes_gets_no_token_to_register(server: GithubServer, github: Github) -> None:
    with pytest.raises(Refused), declared(calls.REMOVE_TOKEN), github.registration_token(SCOPE):
        pytest.fail("there is no token")
    assert server.calls == []


@pytest.mark.req("M61")
def test_a_declared_token_is_good_for_one_call(server: GithubServer, github: Github) -> None:
    with declared(calls.REGISTRATION_TOKEN):
        with github.registration_token(SCOPE):
            pass
        with pytest.raises(Refused), github.registration_token(SCOPE):
            pytest.fail("there is no token")
    assert len(server.calls) == 1


@pytest.mark.req("M22")
def test_looking_asks_for_no_token(server: GithubServer, github: Github) -> None:
    runner = server.add_runner(SCOPE, "lane-a")
    github.listing(SCOPE)
    github.runner(SCOPE, runner.id)
    github.labels(SCOPE, runner.id)
    github.downloads(SCOPE)
    github.deprecation(SCOPE, "2.337.0")
    assert {call.method for call in server.calls} == {"GET"}
    assert server.one_time == {}


@pytest.mark.req("M45", "M69")
def test_what_is_recorded_while_a_token_is_held_is_cleared_of_it(github: Github) -> None:
    with declared(), github.registration_token(SCOPE) as token:
        assert LIVE.fields({"said": f"url {token.reveal()}"}) == {"said": f"url {REDACTED}"}


@pytest.mark.req("M45", "M69")
def test_a_token_shows_in_no_text_of_it_and_is_not_stored(github: Github) -> None:
    with declared(), github.registration_token(SCOPE) as token:
        assert token.reveal() not in shows(token)
        with pytest.raises(TypeError):
            pickle.dumps(token)


@pytest.mark.req("M69")
def test_a_token_cannot_be_had_after_it_was_held(github: Github) -> None:
    with declared(), github.registration_token(SCOPE) as token:
        pass
    with pytest.raises(RuntimeError):
        token.reveal()


@pytest.mark.req("M45", "M69")
def test_an_exception_while_a_token_is_held_can_still_be_cleared_of_it(github: Github) -> None:
    value = ""
    try:
        with declared(), github.registration_token(SCOPE) as token:
            value = token.reveal()
            raise ValueError(f"config.sh failed with {value}")
    except ValueError:
        said = LIVE.text(traceback.format_exc())
    assert value not in said
    assert REDACTED in said


@pytest.mark.req("M45", "M69")
@pytest.mark.parametrize(
    "spoilt",
    [{}, {"expires_at": "tomorrow"}, {"expires_at": 5}, {"expires_at": "2027-01-01T00:00:00"}, {"expires_at": None}],
)
def test_an_answer_that_is_not_in_order_does_not_give_its_token_away(
    server: GithubServer, github: Github, spoilt: dict[str, object]
) -> None:
    value = "QWERTYUIOPASDFGHJKLZXCVBNM234"
    server.fault(r"POST .*", answers(201, {"token": value, **spoilt}))
    with pytest.raises(GithubProblem) as caught, declared(), github.registration_token(SCOPE):
        pytest.fail("there is no token")
    told = f"{caught.value!r} {caught.value.sentence} {''.join(traceback.format_exception(caught.value))}"
    assert value not in told
    assert caught.value.code == "github_unexpected_answer"


@pytest.mark.parametrize("token", ["", "short", "with blanks in it and long", "x" * 5000, None, 5, "tab\tX" * 8])
def test_what_cannot_be_a_token_is_none(server: GithubServer, github: Github, token: object) -> None:
    server.fault(r"POST .*", answers(201, {"token": token, "expires_at": "2027-01-01T00:00:00Z"}))
    with pytest.raises(GithubProblem), declared(), github.registration_token(SCOPE):
        pytest.fail("there is no token")


@pytest.mark.req("M45", "M69")
def test_no_log_line_has_a_token_at_whatever_level(
    server: GithubServer, github: Github, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "github", "github.Requester", "urllib3", "urllib3.connectionpool", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)
    with declared(), github.registration_token(SCOPE) as token:
        value = token.reveal()
    server.fault(r"GET .*", answers(500))
    with pytest.raises(GithubProblem):
        github.listing(SCOPE)
    assert "registration-token" in caplog.text  # the lines of the HTTP library are there: DEBUG is on
    assert value not in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.req("M69")
def test_a_problem_carries_neither_the_request_nor_the_credential(github: Github, server: GithubServer) -> None:
    server.fault(r"POST .*", cut_off({"token": "x"}, after_bytes=3))
    with pytest.raises(GithubProblem) as caught, declared(), github.registration_token(SCOPE):
        pytest.fail("there is no token")
    error: BaseException | None = caught.value
    while error is not None:
        assert TOKEN not in repr(vars(error))
        assert not hasattr(error, "request")
        error = error.__context__
