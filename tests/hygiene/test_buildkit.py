"""What `buildctl` says inside a builder, as BuildKit 0.32 and an older one print it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.contracts import GcPolicy
from hygiene.parse.buildkit import parse_du, parse_histories, parse_workers
from launchplane.canonical import canonical
from tests.hygiene.raw import anything, objects

RECORDED = Path(__file__).parent.parent / "hosts" / "recorded"


def document(name: str) -> Any:
    return json.loads((RECORDED / name).read_text())


def lines(name: str) -> list[Any]:
    return [json.loads(line) for line in (RECORDED / name).read_text().splitlines()]


def test_the_records_of_a_builder_are_read() -> None:
    records, unusable = parse_du(document("du-idle.json"), "ci0")
    assert unusable == 0
    assert [record.key for record in records][:2] == ["ci0/jaqfm1sb5izkhjh6d4sedcoz7", "ci0/c8ey07n6r9d17bzb9af1pj8zc"]
    assert sum(record.size_bytes or 0 for record in records) == 4096 + 8192 + 16384 + 1986560 + 1990656
    assert [record.in_use for record in records] == [False] * 5
    assert records[2].parent == "kxpghl3wi9qqh0pbrgeetz0ab"
    assert records[0].type == "source.local"
    assert records[0].last_used_at == datetime(2026, 11, 20, 18, 52, 38, 523363, tzinfo=UTC)


def test_the_records_of_a_running_build_are_in_use_and_never_used_before() -> None:
    records, _ = parse_du(document("du-while-building.json"), "ci0")
    assert all(record.in_use for record in records)
    assert records[0].last_used_at is None
    assert records[0].size_bytes == 0


def test_a_record_that_does_not_say_whether_it_is_in_use_counts_as_in_use() -> None:
    assert parse_du([{"id": "a"}, {"id": "b", "inUse": None}], "ci0")[0][1].in_use is True


def test_a_record_without_an_id_is_counted_and_not_kept() -> None:
    assert parse_du([{"size": 5}, "record", {"id": "a"}], "ci0")[1] == 2


def test_a_build_that_runs_has_no_completion() -> None:
    builds, unusable = parse_histories(lines("histories.jsonl"), "ci0")
    assert unusable == 0
    assert [build.ref for build in builds] == ["7hqva3402h3hyqx01iv70noql"]
    assert builds[0].started_at == datetime(2026, 11, 20, 18, 52, 26, tzinfo=UTC)


def test_builds_that_ended_do_not_run() -> None:
    histories = lines("histories-idle.jsonl")
    assert histories
    assert parse_histories(histories, "ci0") == ([], 0)


def test_a_builder_without_any_history_runs_nothing() -> None:
    assert parse_histories([], "ci0") == ([], 0)


@pytest.mark.req("H17")
@pytest.mark.parametrize("raw", [None, "", {}, 5, [None], ["x"], [{}], [{"record": None}], [{"record": {}}]])
def test_a_history_that_cannot_be_read_counts_as_a_running_build(raw: object) -> None:
    builds, _ = parse_histories(raw, "ci0")
    assert len(builds) == 1


@pytest.mark.req("H17")
@pytest.mark.parametrize("completed", [None, "", "2026-11-20T18:52:08Z", 1795200728, True])
def test_a_completion_that_is_no_time_does_not_end_a_build(completed: object) -> None:
    builds, _ = parse_histories([{"record": {"Ref": "r", "CompletedAt": completed}}], "ci0")
    assert [build.ref for build in builds] == ["r"]


def test_the_policy_in_force_is_read_with_its_three_bounds() -> None:
    worker = parse_workers(document("workers.json"))
    assert worker is not None
    assert len(worker.gc_policy) == 4
    assert worker.gc_policy[0] == GcPolicy(
        all=False,
        filters=("type==exec.cachemount", "type==source.git.checkout", "type==source.local"),
        keep_seconds=172_800,
        reserved_bytes=0,
        max_used_bytes=512_000_000,
        min_free_bytes=0,
    )
    assert worker.gc_policy[3].all is True


def test_before_0_17_a_policy_has_one_bound() -> None:
    raw = [{"gcPolicy": [{"all": True, "keepBytes": 10_000_000_000, "keepDuration": 0}], "buildkitVersion": None}]
    worker = parse_workers(raw)
    assert worker is not None
    assert worker.version is None
    assert worker.gc_policy[0].reserved_bytes == 10_000_000_000
    assert worker.gc_policy[0].max_used_bytes == 0


@pytest.mark.parametrize("field", ["keepDuration", "reservedSpace", "keepBytes", "maxUsedSpace", "minFreeSpace"])
@pytest.mark.parametrize("value", [-1, "much", None, 1.5])
def test_a_policy_with_a_bound_that_cannot_be_read_is_unknown_as_a_whole(field: str, value: object) -> None:
    assert parse_workers([{"gcPolicy": [{field: value}]}]) is None


@pytest.mark.parametrize("raw", [None, [], {}, [None], "worker", [{"gcPolicy": "none"}], [{"gcPolicy": {}}]])
def test_a_worker_that_cannot_be_read_is_none(raw: object) -> None:
    assert parse_workers(raw) is None


def test_a_worker_without_a_policy_collects_nothing() -> None:
    worker = parse_workers([{"gcPolicy": None, "buildkitVersion": {"version": "v0.32.0"}}])
    assert worker is not None
    assert (worker.version, worker.gc_policy) == ("v0.32.0", ())


record = objects("id", "parents", "recordType", "size", "inUse", "shared", "createdAt", "lastUsedAt", "usageCount")
rule = objects("all", "filter", "keepDuration", "keepBytes", "reservedSpace", "maxUsedSpace", "minFreeSpace")
worker = st.fixed_dictionaries({}, optional={"gcPolicy": st.lists(rule, max_size=2), "buildkitVersion": anything})
build = st.fixed_dictionaries({}, optional={"record": objects("Ref", "CreatedAt", "CompletedAt")})


@given(anything | st.lists(record, max_size=3), anything | st.lists(worker, max_size=2), anything | st.lists(build))
def test_forged_output_never_raises_and_what_it_gives_can_be_stored(du: object, workers: object, runs: object) -> None:
    found = parse_workers(workers)
    stored = [*parse_du(du, "ci0")[0], *parse_histories(runs, "ci0")[0], *(found.gc_policy if found else ())]
    assert all(canonical(item) for item in stored)
