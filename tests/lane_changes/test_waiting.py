"""Waiting has an end: by the number of looks, by the time, and whatever the looks meet."""

import time
from itertools import count

import pytest

from lanes.acts.waiting import LISTED, OFFLINE, ONLINE, Patience, until
from lanes.github.errors import GithubDenied, GithubUnreachable

THREE = Patience(looks=3, pause_seconds=1)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that goes on by sleeping, and by what a test adds."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_the_first_look_that_holds_is_given(clock: list[float]) -> None:
    numbers = count(1)
    assert until(lambda: next(numbers), lambda number: number == 2, THREE) == 2
    assert clock == [1001.0]


def test_the_last_look_is_given_if_none_holds() -> None:
    numbers = count(1)
    assert until(lambda: next(numbers), lambda _: False, THREE) == 3


def test_looks_that_take_long_are_fewer(clock: list[float]) -> None:
    looks = []

    def slow() -> int:
        looks.append(1)
        clock[0] += 20
        return len(looks)

    assert until(slow, lambda _: False, ONLINE) == len(looks) < 8


def test_a_look_without_an_answer_is_tried_again_and_raised_at_the_end() -> None:
    looks = []

    def down() -> int:
        looks.append(1)
        if len(looks) < 4:
            raise GithubUnreachable("github_error", "GitHub answers 500.")
        return 4

    with pytest.raises(GithubUnreachable):
        until(down, lambda _: True, THREE)
    assert len(looks) == 3
    assert until(down, lambda _: True, THREE) == 4


def test_what_github_refuses_is_not_asked_again() -> None:
    looks = []

    def refused() -> None:
        looks.append(1)
        raise GithubDenied("github_forbidden", "no")

    with pytest.raises(GithubDenied):
        until(refused, lambda _: True, THREE)
    assert len(looks) == 1


@pytest.mark.parametrize("patience", [ONLINE, OFFLINE, LISTED])
def test_nobody_is_waited_for_longer_than_a_few_minutes(patience: Patience) -> None:
    assert 0 < patience.seconds <= 180
    assert patience.looks <= 40
