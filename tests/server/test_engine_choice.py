"""Which engine a start takes: a table."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from launchplane.problems import Problem
from launchplane.server.engine_choice import DEFAULT_URL, Situation, choose

FRESH = Situation(mode="auto", docker_host="", has_hosts=False, sandbox_was_made=False, can_make_sandbox=True)
ELSEWHERE = "unix:///run/user/1000/docker.sock"


def nothing_answers(url: str) -> str | None:
    return "there is no such socket"


def answers_at(expected: str) -> Callable[[str], str | None]:
    return lambda url: None if url == expected else "there is no such socket"


@pytest.mark.parametrize(
    ("situation", "answering", "url", "sandbox"),
    [
        (FRESH, DEFAULT_URL, DEFAULT_URL, False),
        (FRESH, None, None, True),
        (replace(FRESH, docker_host=ELSEWHERE), ELSEWHERE, ELSEWHERE, False),
        (replace(FRESH, docker_host=ELSEWHERE), DEFAULT_URL, None, True),
        (replace(FRESH, can_make_sandbox=False), None, None, False),
        (replace(FRESH, has_hosts=True), None, None, False),
        (replace(FRESH, has_hosts=True, sandbox_was_made=True), None, None, True),
        (replace(FRESH, has_hosts=True, sandbox_was_made=True), DEFAULT_URL, DEFAULT_URL, True),
        (replace(FRESH, mode="never"), None, None, False),
        (replace(FRESH, mode="never", sandbox_was_made=True), None, None, False),
        (replace(FRESH, mode="never"), DEFAULT_URL, DEFAULT_URL, False),
        (replace(FRESH, mode="always"), DEFAULT_URL, None, True),
        (replace(FRESH, mode="always", docker_host="tcp://ci:2375"), None, None, True),
    ],
)
def test_choice(situation: Situation, answering: str | None, url: str | None, sandbox: bool) -> None:
    choice = choose(situation, silence=answers_at(answering) if answering else nothing_answers)
    assert (choice.url, choice.sandbox) == (url, sandbox)


def test_the_sentence_says_why_no_engine_was_taken_and_what_happens_now() -> None:
    assert choose(FRESH, silence=nothing_answers).sentence == (
        f"No Docker engine answers at {DEFAULT_URL} (there is no such socket). "
        "Making a sandbox: a private engine with planted leftovers."
    )


def test_without_a_sandbox_the_sentence_says_why_there_is_none() -> None:
    ordinary_user = replace(FRESH, can_make_sandbox=False)
    assert "a sandbox needs root on Debian" in choose(ordinary_user, silence=nothing_answers).sentence
    assert "LAUNCHPLANE_SANDBOX is never" in choose(replace(FRESH, mode="never"), silence=nothing_answers).sentence


@pytest.mark.parametrize("docker_host", ["tcp://ci:2375", "ssh://ci", "unix://docker.sock", "npipe:////./pipe/docker"])
def test_an_engine_elsewhere_is_refused_in_a_sentence(docker_host: str) -> None:
    with pytest.raises(Problem, match="only an engine of this machine") as refused:
        choose(replace(FRESH, docker_host=docker_host), silence=nothing_answers)
    assert refused.value.code == "docker_host_not_local"


def test_a_sandbox_that_must_be_but_cannot_is_refused_in_a_sentence() -> None:
    with pytest.raises(Problem, match="needs root"):
        choose(replace(FRESH, mode="always", can_make_sandbox=False), silence=nothing_answers)
