"""Runners as GitHub lists them: all of them, or a listing that says that it is not all."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from lanes.github.client import Github
from lanes.github.errors import GithubDenied, GithubUnreachable
from tests.fakes.github import GithubServer
from tests.fakes.loopback import answers
from tests.faults import cut_off, speaks
from tests.lanes.asking import SCOPE, TOKEN, asking

PAGE_1, PAGE_2 = (rf"GET .*/runners\?page={number}&per_page=100" for number in (1, 2))
HALF_A_PAGE = {"total_count": 150, "runners": []}


def fill(server: GithubServer, count: int, scope: str = SCOPE) -> None:
    for number in range(count):
        server.add_runner(scope, f"lane-{number}")


def document(**changes: object) -> dict[str, object]:
    """A page with one runner as GitHub describes it, but for `changes`."""
    runner = {"id": 1, "name": "a", "os": "linux", "status": "online", "busy": False, "labels": [{"name": "x"}]}
    return {"total_count": 1, "runners": [runner | changes]}


@pytest.mark.req("M14")
def test_a_runner_is_told_as_github_knows_it(server: GithubServer, github: Github) -> None:
    server.add_runner(SCOPE, "lane-a", "launchplane", version="2.336.0", online=True, job=7)
    listing = github.listing(SCOPE)
    (runner,) = listing.runners
    assert (runner.name, runner.os, runner.online, runner.busy) == ("lane-a", "linux", True, True)
    assert runner.labels == ("self-hosted", "Linux", "X64", "launchplane")
    assert runner.version == "2.336.0"
    assert listing.complete
    assert len(listing.request_ids) == 1


@pytest.mark.req("M14")
def test_no_runner_at_all_is_proven(github: Github) -> None:
    listing = github.listing(SCOPE)
    assert (listing.runners, listing.total_count, listing.complete) == ((), 0, True)


def test_the_runners_of_an_organization_are_not_those_of_its_repositories(server: GithubServer, github: Github) -> None:
    server.add_runner("acme", "of-all")
    server.add_runner(SCOPE, "of-one")
    assert [runner.name for runner in github.listing("acme").runners] == ["of-all"]
    assert [runner.name for runner in github.listing(SCOPE).runners] == ["of-one"]


def test_pages_have_a_hundred_and_are_put_together(server: GithubServer, github: Github) -> None:
    fill(server, 250)
    listing = github.listing(SCOPE)
    assert (len(listing.runners), listing.complete) == (250, True)
    assert [call.query for call in server.calls] == [f"page={number}&per_page=100" for number in (1, 2, 3)]
    assert len(set(listing.request_ids)) == 3


def test_a_runner_that_comes_between_two_pages_makes_the_listing_incomplete(
    server: GithubServer, github: Github
) -> None:
    fill(server, 150)
    server.meanwhile(PAGE_2, partial(server.add_runner, SCOPE, "late"))
    listing = github.listing(SCOPE)
    assert not listing.complete
    assert listing.why_incomplete == "The runners became 151 from 150 while they were listed."


def test_a_list_that_moves_between_two_pages_is_incomplete(server: GithubServer, github: Github) -> None:
    fill(server, 150)

    def move() -> None:
        last = server.runners.pop(150)
        server.runners = {last.id: last, **server.runners}

    server.meanwhile(PAGE_2, move)
    listing = github.listing(SCOPE)
    assert listing.why_incomplete == "The list moved while it was read: a runner came twice."


def test_a_page_with_less_than_was_counted_is_incomplete(server: GithubServer, github: Github) -> None:
    server.fault(PAGE_1, answers(200, document() | {"total_count": 2}))
    listing = github.listing(SCOPE)
    assert (listing.complete, listing.why_incomplete) == (False, "GitHub counts 2 runners and listed 1.")


def test_more_than_was_counted_is_incomplete(server: GithubServer, github: Github) -> None:
    server.fault(PAGE_1, answers(200, document() | {"total_count": 0}))
    assert not github.listing(SCOPE).complete


@pytest.mark.parametrize(
    "fault", [answers(502), cut_off(HALF_A_PAGE, after_bytes=20), speaks(b"<html>", content_type="text/html")]
)
def test_a_later_page_that_fails_leaves_what_was_seen_and_no_proof(
    server: GithubServer, github: Github, fault: object
) -> None:
    fill(server, 150)
    server.fault(PAGE_2, fault)  # type: ignore[arg-type]  # a Behaviour
    listing = github.listing(SCOPE)
    assert (len(listing.runners), listing.complete) == (100, False)
    assert listing.why_incomplete.startswith("Page 2 could not be read. ")


def test_a_right_that_is_lost_between_two_pages_stops_the_scope(server: GithubServer, github: Github) -> None:
    fill(server, 350)
    server.meanwhile(PAGE_2, server.credentials.clear)
    with pytest.raises(GithubDenied):
        github.listing(SCOPE)
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "1"},
        {"id": True},
        {"id": 0},
        {"id": 2**64},
        {"name": None},
        {"name": "two\nlines"},
        {"name": "x" * 2000},
        {"status": "gone fishing"},
        {"busy": "false"},
        {"busy": None},
        {"labels": None},
        {"labels": [{"id": 3}]},
        {"labels": [{"name": "\ud800"}]},
        {"version": 2},
    ],
)
def test_a_runner_that_is_not_in_order_makes_the_answer_unusable(
    server: GithubServer, github: Github, changes: dict[str, object]
) -> None:
    server.fault(PAGE_1, answers(200, document(**changes)))
    with pytest.raises(GithubUnreachable) as caught:
        github.listing(SCOPE)
    assert caught.value.code == "github_unexpected_answer"
    assert caught.value.request_id == "FA:17"


@pytest.mark.parametrize("total", [-1, "1", None, 1.5, True])
def test_a_count_that_is_none_makes_the_answer_unusable(server: GithubServer, github: Github, total: object) -> None:
    server.fault(PAGE_1, answers(200, document() | {"total_count": total}))
    with pytest.raises(GithubUnreachable):
        github.listing(SCOPE)


def test_a_count_beyond_all_reason_is_not_asked_for(server: GithubServer, github: Github) -> None:
    server.fault(r"GET .*", answers(200, document() | {"total_count": 2_000_000_000}))
    listing = github.listing(SCOPE)
    assert not listing.complete
    assert len(server.calls) == 100


def test_a_listing_that_did_not_change_costs_no_quota(server: GithubServer, github: Github) -> None:
    fill(server, 250)
    first = github.listing(SCOPE)
    before = server.cost()
    again = github.listing(SCOPE)
    assert server.cost() == before
    assert [call.status for call in server.calls] == [200] * 3 + [304] * 3
    assert again.runners == first.runners
    assert again.complete


def test_a_listing_that_did_change_is_new(server: GithubServer, github: Github) -> None:
    runner = server.add_runner(SCOPE, "lane-a")
    assert not github.listing(SCOPE).runners[0].online
    runner.online = True
    assert github.listing(SCOPE).runners[0].online


def test_what_is_kept_is_kept_for_one_token(server: GithubServer, github: Github) -> None:
    other = "ghp_" + "0ther" * 8
    server.accept(other)
    github.listing(SCOPE)
    asking(server.url, token=other).listing(SCOPE)
    assert [call.etag for call in server.calls] == ["", ""]


def test_calls_share_a_connection(server: GithubServer, github: Github) -> None:
    fill(server, 250)
    github.listing(SCOPE)
    assert len({call.port for call in server.calls}) == 1


def test_threads_that_share_a_client_ask_one_after_the_other(server: GithubServer, github: Github) -> None:
    """PyGithub keeps what is asked on an object that all calls share, and GitHub wants no calls at the same time."""
    scopes = [f"acme/shop-{number % 5}" for number in range(60)]
    for scope in set(scopes):
        server.add_runner(scope, f"of-{scope}")
    with ThreadPoolExecutor(8) as threads:
        listings = list(threads.map(github.listing, scopes))
    assert [listing.runners[0].name for listing in listings] == [f"of-{scope}" for scope in scopes]
    assert len({call.port for call in server.calls}) == 1


@pytest.mark.req("M14")
def test_a_fleet_takes_a_call_for_each_hundred_runners_and_then_no_quota(server: GithubServer, github: Github) -> None:
    counts = {"acme/none": 0, "acme/one": 1, "acme/full": 100, "acme/more": 101, "acme": 250}
    for scope, count in counts.items():
        fill(server, count, scope)
    assert [len(github.listing(scope).runners) for scope in counts] == list(counts.values())
    assert len(server.calls) == 1 + 1 + 1 + 2 + 3
    before = server.cost()
    assert all(github.listing(scope).complete for scope in counts)
    assert server.cost() == before


def test_one_runner_is_asked_for_by_its_id(server: GithubServer, github: Github) -> None:
    runner = server.add_runner(SCOPE, "lane-a", online=True)
    looked = github.runner(SCOPE, runner.id)
    assert looked.runner is not None
    assert (looked.runner.id, looked.runner.online) == (runner.id, True)
    assert looked.request_id


def test_one_runner_that_github_does_not_know_is_none(github: Github) -> None:
    assert github.runner(SCOPE, 99).runner is None


def test_packages_of_the_runner_are_listed_with_their_checksums(server: GithubServer, github: Github) -> None:
    server.downloads = [
        {
            "os": "linux",
            "architecture": "x64",
            "download_url": "https://github.com/actions/runner/releases/download/v2.337.0/actions-runner.tar.gz",
            "filename": "actions-runner.tar.gz",
            "sha256_checksum": "ab" * 32,
        }
    ]
    (download,) = github.downloads(SCOPE)
    assert (download.os, download.architecture, download.sha256_checksum) == ("linux", "x64", "ab" * 32)


@pytest.mark.req("X13")
def test_until_when_a_version_may_run_is_known(server: GithubServer, github: Github) -> None:
    server.deprecations["2.336.0"] = {"runtime_deprecates_at": "2026-11-05T08:04:55Z"}
    found = github.deprecation(SCOPE, "2.336.0")
    assert found is not None
    assert found.runtime_deprecates_at is not None
    assert found.runtime_deprecates_at.isoformat() == "2026-11-05T08:04:55+00:00"
    assert found.registration_deprecates_at is None


@pytest.mark.req("X13")
def test_a_version_that_github_does_not_know_has_no_dates(github: Github) -> None:
    assert github.deprecation(SCOPE, "2.100.0") is None


@pytest.mark.parametrize("scope", ["", "acme/", "/shop", "acme/..", "acme/shop/x", "acme/sh op", "a/b\n", "acme?x=1"])
def test_a_scope_that_could_mean_another_address_is_not_asked_for(
    server: GithubServer, github: Github, scope: str
) -> None:
    with pytest.raises(GithubDenied) as caught:
        github.listing(scope)
    assert caught.value.code == "github_bad_name"
    assert server.calls == []


def test_every_call_names_the_token_once_and_nowhere_in_the_address(server: GithubServer, github: Github) -> None:
    github.listing(SCOPE)
    assert TOKEN not in "".join(call.path + call.query for call in server.calls)
