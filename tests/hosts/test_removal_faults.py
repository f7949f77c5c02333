"""What becomes of a removal when the engine refuses, fails, falls silent or is gone: told, never repeated."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from launchplane.hosts import boundary
from launchplane.hosts.errors import HostProblem
from launchplane.hosts.local_removals import LocalRemover
from onhost.engine import removing
from onhost.engine.builder_prune import prune_arguments, prune_result
from onhost.engine.removal_checks import prune_parameters
from onhost.engine.removals import ExpectedContainer, ExpectedImage, PruneBounds, Removal
from tests.engine_things import RECORDED
from tests.faults import Behaviour, EngineSocket, Request, hangs, once, plain_engine, raw, says

ID = f"sha256:{'a' * 64}"
IMAGE = ExpectedImage(ID, (), 10)
SEEN_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BOUNDS = PruneBounds(min_age_seconds=3600, keep_bytes=5_000_000, max_bytes=20_000_000)
OLD_HELP = "   --keep-duration value  Keep data newer\n   --keep-storage value  Keep data below this limit (in MB)\n"


def there(*tags: str) -> Behaviour:
    return says({"Id": ID, "RepoTags": list(tags), "Size": 10})


GONE = says({"message": "No such image"}, status=404)


@contextmanager
def an_engine(behaviours: dict[str, Behaviour]) -> Iterator[tuple[LocalRemover, list[Request]]]:
    everything = {
        rf"/images/{ID}/json": there(),
        "/containers/json": says([]),
        "/info": plain_engine()["/info"],
    } | behaviours
    with EngineSocket(everything) as engine:
        door = LocalRemover(
            engine.url, api_version="1.41", engine_id="PLAIN:ENGINE", remove_seconds=0.3, prune_seconds=0.3
        )
        allowance = boundary.Allowance({"remove_image": 1, "prune_build_cache": 1, "remove_container": 1}, lambda: True)
        with boundary.within(allowance):
            yield door, engine.requests


def removed(behaviours: dict[str, Behaviour], expected: ExpectedImage = IMAGE) -> tuple[Removal, list[Request]]:
    with an_engine(behaviours) as (door, requests):
        removal = door.remove_image(expected)
    return removal, [request for request in requests if request.method == "DELETE"]


@pytest.mark.req("D5")
def test_an_image_is_never_removed_by_force_and_takes_no_parent_along() -> None:
    removal, sent = removed({f"/images/{ID}": says([{"Deleted": ID}])})

    assert removal.outcome == "done"
    assert [(request.path, request.query) for request in sent] == [(f"/images/{ID}", "force=false&noprune=true")]


@pytest.mark.req("D8")
def test_a_conflict_is_a_skip_with_the_engines_words() -> None:
    removal, _ = removed({f"/images/{ID}": says({"message": "image is being used"}, status=409)})

    assert removal.outcome == "skipped"
    assert "image is being used" in removal.detail


@pytest.mark.req("D9")
def test_what_went_in_the_same_moment_is_gone() -> None:
    removal, _ = removed({f"/images/{ID}": GONE})

    assert removal.outcome == "gone"


@pytest.mark.req("D10")
def test_a_failure_that_left_it_there_is_a_failure() -> None:
    removal, sent = removed({f"/images/{ID}": says({"message": "input/output error"}, status=500)})

    assert removal.outcome == "failed"
    assert "input/output error" in removal.detail
    assert "still there" in removal.detail
    assert len(sent) == 1


def test_a_failure_that_removed_it_all_the_same_is_done() -> None:
    behaviours = {
        f"/images/{ID}": says({"message": "oops"}, status=500),
        f"/images/{ID}/json": once(there(), GONE),
    }
    removal, _ = removed(behaviours)

    assert removal.outcome == "done"


@pytest.mark.req("H11")
def test_silence_is_looked_into_and_the_call_is_not_made_again() -> None:
    removal, sent = removed({f"/images/{ID}": hangs})

    assert removal.outcome == "failed"
    assert "did not finish answering" in removal.detail
    assert len(sent) == 1


def test_what_can_not_be_looked_at_after_silence_is_unknown() -> None:
    behaviours = {f"/images/{ID}": hangs, f"/images/{ID}/json": once(there(), says({"message": "no"}, status=500))}
    removal, sent = removed(behaviours)

    assert removal.outcome == "unknown"
    assert len(sent) == 1


def test_another_engine_that_answers_after_silence_proves_nothing() -> None:
    other = says({"ID": "ANOTHER:ENGINE", "Swarm": {"LocalNodeState": "inactive"}})
    behaviours = {
        f"/images/{ID}": hangs,
        f"/images/{ID}/json": once(there(), GONE),
        "/info": once(plain_engine()["/info"], other),
    }
    with an_engine(behaviours) as (door, _):
        removal = door.remove_image(IMAGE)

    assert removal.outcome == "unknown"


def test_where_nobody_answers_nothing_was_done() -> None:
    with an_engine({}) as (door, _):
        pass
    with boundary.within(boundary.Allowance({"remove_image": 1}, lambda: True)):
        removal = door.remove_image(IMAGE)

    assert (removal.outcome, removal.detail.endswith("Nothing was done to it.")) == ("failed", True)


@pytest.mark.parametrize("answer", [says({"message": "no"}, status=500), says({}, status=409), hangs, raw(b"")])
def test_an_image_that_cannot_be_looked_at_is_not_removed(answer: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "LOOK_SECONDS", 0.3)
    removal, sent = removed({f"/images/{ID}/json": answer})

    assert (removal.outcome, removal.detail.endswith("Nothing was done to it.")) == ("failed", True)
    assert sent == []


def test_an_engine_that_ends_in_the_middle_leaves_it_unknown() -> None:
    removal, sent = removed({f"/images/{ID}": raw(b""), f"/images/{ID}/json": once(there(), raw(b""))})

    assert removal.outcome == "unknown"
    assert len(sent) == 1


def test_a_tag_that_went_with_a_dangling_image_is_a_lost_race() -> None:
    removal, _ = removed({f"/images/{ID}": says([{"Untagged": "app:precious"}, {"Deleted": ID}])})

    assert removal.outcome == "raced"


@pytest.mark.req("X1")
def test_a_digest_that_went_with_an_image_is_a_lost_race_if_it_was_not_known() -> None:
    known, other = f"app@sha256:{'d' * 64}", f"app@sha256:{'e' * 64}"
    expected = ExpectedImage(ID, (), 10, (known,))

    for said, outcome in ((known, "done"), (f"moby-dangling@{ID}", "done"), (other, "raced"), (f"app@{ID}", "raced")):
        removal, _ = removed({f"/images/{ID}": says([{"Untagged": said}, {"Deleted": ID}])}, expected)
        assert (said, removal.outcome) == (said, outcome)


@pytest.mark.parametrize("state", ["running", "paused", "restarting", "removing", None, "new-in-docker-99"])
def test_only_a_container_that_stands_still_is_removed(state: str | None) -> None:
    found = {"Id": "c" * 64, "Name": "/x", "Image": ID, "State": {"Status": state}}
    with an_engine({f"/containers/{'c' * 64}/json": says(found)}) as (door, requests):
        removal = door.remove_container(ExpectedContainer("c" * 64, "x", ID, SEEN_AT))

    assert removal.outcome == "skipped"
    assert [request.method for request in requests if request.method != "GET"] == []


@pytest.mark.req("H14")
def test_a_prune_that_does_not_answer_is_unknown_and_not_repeated() -> None:
    with an_engine({"/build/prune": hangs}) as (door, requests):
        removal = door.prune_build_cache(BOUNDS)

    assert removal.outcome == "unknown"
    assert [request.path for request in requests if request.method == "POST"] == ["/build/prune"]


@pytest.mark.parametrize(("status", "outcome"), [(404, "failed"), (403, "failed"), (409, "failed"), (500, "unknown")])
def test_what_the_engine_answers_to_a_prune_is_its_outcome(status: int, outcome: str) -> None:
    with an_engine({"/build/prune": says({"message": "no"}, status=status)}) as (door, requests):
        removal = door.prune_build_cache(BOUNDS)

    assert removal.outcome == outcome
    assert [request.path for request in requests if request.method == "POST"] == ["/build/prune"]


@pytest.mark.parametrize("status", [404, 409, 500])
def test_a_builder_that_cannot_be_asked_what_it_knows_is_not_pruned(status: int) -> None:
    path = f"/containers/{'c' * 64}/exec"
    with an_engine({path: says({"message": "no"}, status=status)}) as (door, requests):
        removal = door.prune_builder("c" * 64, BOUNDS)

    assert (removal.outcome, removal.detail.endswith("Nothing was done to it.")) == ("failed", True)
    assert [request.exec_argv for request in requests if request.path == path] == [["buildctl", "prune", "--help"]]


def test_a_prune_that_does_not_say_what_it_freed_is_unknown() -> None:
    with an_engine({"/build/prune": says({"CachesDeleted": ["a"]})}) as (door, _):
        assert door.prune_build_cache(BOUNDS).outcome == "unknown"


@pytest.mark.parametrize("version", ["1.41", "1.44", "1.47"])
def test_before_1_48_the_one_bound_that_is_known_holds_the_larger_of_the_two(version: str) -> None:
    params = prune_parameters(BOUNDS, version)

    assert params == {"all": "false", "filters": '{"until": ["3600s"]}', "keep-storage": "20000000"}


@pytest.mark.parametrize("version", ["1.48", "1.51", "1.52"])
def test_from_1_48_on_both_bounds_are_sent(version: str) -> None:
    params = prune_parameters(BOUNDS, version)

    assert (params["reserved-space"], params["max-used-space"]) == ("5000000", "20000000")
    assert "keep-storage" not in params


def test_a_builder_of_today_gets_both_bounds() -> None:
    argv = prune_arguments(BOUNDS, (RECORDED / "prune-help.txt").read_text())

    bounds = ["--keep-duration", "3600s", "--keep-storage-min", "5", "--keep-storage", "20"]
    assert list(argv) == ["buildctl", "prune", *bounds, "--format", "{{json .}}"]


def test_an_older_builder_gets_the_larger_of_the_two_as_what_stays() -> None:
    argv = prune_arguments(BOUNDS, OLD_HELP)

    assert argv[argv.index("--keep-storage") + 1] == "20"
    assert "--keep-storage-min" not in argv


def test_a_builder_that_knows_no_floor_is_not_pruned() -> None:
    with pytest.raises(HostProblem, match="knows no bound"):
        prune_arguments(BOUNDS, "--all  Include internal references")


def test_what_a_builder_pruned_is_read_off_its_lines() -> None:
    freed, records = prune_result((RECORDED / "prune.json").read_bytes())

    assert freed is not None
    assert freed > 0
    assert len(records) == len((RECORDED / "prune.json").read_text().splitlines())
    assert prune_result(b"Total:\t4.10kB\n")[0] is None
