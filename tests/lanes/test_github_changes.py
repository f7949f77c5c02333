"""What is changed at GitHub: only what is ours, only as declared, and told as it went."""

from collections.abc import Callable

import pytest

from lanes.github import calls
from lanes.github.client import Github
from lanes.github.errors import GithubDenied, GithubProblem, GithubUnreachable, RunnerBusy
from lanes.plan.verbs import WAYS
from launchplane.problems import Refused
from tests.fakes.github import GithubServer
from tests.fakes.loopback import answers
from tests.faults import hangs
from tests.lanes.asking import SCOPE, TOKEN, asking, declared

Change = Callable[[Github, int, int | None], object]

CHANGES: dict[str, Change] = {
    calls.DELETE_RUNNER: lambda github, id, our_id: github.delete_runner(SCOPE, id, our_id=our_id),
    calls.SET_LABELS: lambda github, id, our_id: github.set_labels(SCOPE, id, ["a"], our_id=our_id),
    calls.ADD_LABEL: lambda github, id, our_id: github.add_label(SCOPE, id, "a", our_id=our_id),
    calls.REMOVE_LABEL: lambda github, id, our_id: github.remove_label(SCOPE, id, "mine", our_id=our_id),
}


@pytest.mark.req("L6", "X11")
def test_a_registration_of_ours_is_deleted(server: GithubServer, github: Github) -> None:
    ours, other = server.add_runner(SCOPE, "ours"), server.add_runner(SCOPE, "other")
    with declared(calls.DELETE_RUNNER):
        deleted = github.delete_runner(SCOPE, ours.id, our_id=ours.id)
    assert deleted.was_there
    assert deleted.request_id
    assert list(server.runners) == [other.id]


@pytest.mark.req("L6", "X11")
def test_a_registration_of_ours_that_is_gone_is_as_good_as_deleted(github: Github) -> None:
    with declared():
        assert not github.delete_runner(SCOPE, 99, our_id=99).was_there


@pytest.mark.req("L6", "X11")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("our_id", [None, 2, 0])
def test_a_runner_that_is_not_ours_is_not_asked_to_change(
    server: GithubServer, github: Github, change: Change, our_id: int | None
) -> None:
    runner = server.add_runner(SCOPE, "foreign", "mine")
    with pytest.raises(GithubDenied) as caught, declared():
        change(github, runner.id, our_id)
    assert caught.value.code == "runner_not_ours"
    assert server.calls == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_outside_of_a_running_change_nothing_is_changed(server: GithubServer, github: Github, change: Change) -> None:
    runner = server.add_runner(SCOPE, "ours", "mine")
    with pytest.raises(Refused):
        change(github, runner.id, runner.id)
    assert server.calls == []


@pytest.mark.parametrize(("name", "change"), CHANGES.items())
def test_each_change_is_spent_from_what_was_declared(
    server: GithubServer, github: Github, name: str, change: Change
) -> None:
    runner = server.add_runner(SCOPE, "ours", "mine")
    with declared(name) as allowance:
        change(github, runner.id, runner.id)
        assert allowance.left == {name: 0}


def test_a_plan_declares_githubs_calls_by_the_names_that_are_spent() -> None:
    declared_by_plans = {way.call for way in WAYS.values() if way.call.startswith("github")}
    assert declared_by_plans <= set(calls.EVERY_CALL)


def test_a_busy_runner_stays(server: GithubServer, github: Github) -> None:
    runner = server.add_runner(SCOPE, "ours", online=True, job=5)
    with pytest.raises(RunnerBusy) as caught, declared():
        github.delete_runner(SCOPE, runner.id, our_id=runner.id)
    assert caught.value.code == "runner_busy"
    assert caught.value.request_id
    assert runner.id in server.runners


@pytest.mark.parametrize(("status", "code"), [(403, "github_forbidden"), (401, "github_unauthorized")])
def test_a_deletion_that_is_refused_is_no_deletion(
    server: GithubServer, github: Github, status: int, code: str
) -> None:
    runner = server.add_runner(SCOPE, "ours")
    server.fault(r"DELETE .*", answers(status, {"message": "no"}))
    with pytest.raises(GithubDenied) as caught, declared():
        github.delete_runner(SCOPE, runner.id, our_id=runner.id)
    assert caught.value.code == code


@pytest.mark.parametrize("fault", [answers(500), answers(200, {}), hangs])
def test_a_deletion_without_a_proper_answer_is_unknown_and_not_repeated(
    server: GithubServer, fault: Callable[..., None]
) -> None:
    server.fault(r"DELETE .*", fault)
    with pytest.raises(GithubUnreachable), declared():
        asking(server.url, seconds=1).delete_runner(SCOPE, 1, our_id=1)
    assert len(server.calls) == 1


def test_a_credential_that_may_only_look_changes_nothing(server: GithubServer, github: Github) -> None:
    server.accept(TOKEN, level="read")
    runner = server.add_runner(SCOPE, "ours", "mine")
    for change in CHANGES.values():
        with pytest.raises(GithubDenied), declared():
            change(github, runner.id, runner.id)
    assert runner.labels == ["mine"]


def test_labels_tell_who_may_change_them(server: GithubServer, github: Github) -> None:
    runner = server.add_runner(SCOPE, "ours", "mine")
    assert [(label.name, label.type) for label in github.labels(SCOPE, runner.id)] == [
        ("self-hosted", "read-only"),
        ("Linux", "read-only"),
        ("X64", "read-only"),
        ("mine", "custom"),
    ]


def test_labels_are_set_added_and_taken_away(server: GithubServer, github: Github) -> None:
    runner = server.add_runner(SCOPE, "ours", "old")
    with declared():
        assert [label.name for label in github.set_labels(SCOPE, runner.id, ["a", "b"], our_id=runner.id)][3:] == [
            "a",
            "b",
        ]
        github.add_label(SCOPE, runner.id, "c", our_id=runner.id)
        github.remove_label(SCOPE, runner.id, "a", our_id=runner.id)
    assert runner.labels == ["b", "c"]


@pytest.mark.parametrize("label", ["X64", "never-there"])
def test_a_label_that_cannot_be_taken_away_is_told(server: GithubServer, github: Github, label: str) -> None:
    runner = server.add_runner(SCOPE, "ours", "mine")
    with pytest.raises(GithubDenied), declared():
        github.remove_label(SCOPE, runner.id, label, our_id=runner.id)
    assert runner.labels == ["mine"]


@pytest.mark.req("L6")
@pytest.mark.parametrize("label", ["", ".", "..", "../..", "a/b", "a?b", "a b", "a,b", "%2e%2e", "x" * 65, "a\n"])
def test_a_label_that_could_mean_another_address_is_not_sent(server: GithubServer, github: Github, label: str) -> None:
    """A client takes dots out of an address: to remove the label `..` would be to delete the runner."""
    runner = server.add_runner(SCOPE, "ours")
    with pytest.raises(GithubProblem) as caught, declared():
        github.remove_label(SCOPE, runner.id, label, our_id=runner.id)
    assert caught.value.code == "github_bad_name"
    assert server.calls == []


@pytest.mark.parametrize("number", [0, -1, True, "1", "1/labels", None])
def test_what_is_no_id_is_not_sent(server: GithubServer, github: Github, number: int) -> None:
    with pytest.raises(GithubDenied), declared():
        github.delete_runner(SCOPE, number, our_id=number)
    with pytest.raises(GithubDenied):
        github.runner(SCOPE, number)
    assert server.calls == []
