"""launchplane-docker through its door: what it sends to an engine, what it keeps its hands off, and how often."""

import copy
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from onhost.docker_part import REMOVALS
from tests.faults import Behaviour, EngineSocket, Request, cut_off, hangs, once, plain_engine, raw, says
from tests.onhost.room import CONFIG, DOCKER, PROGRAMS, Answer, Room, build, put

ID, OTHER_ID = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
CONTAINER, VOLUME = "c" * 64, "scratch"
MADE_AT = "2026-11-20T12:00:00Z"
ENGINE = "PLAIN:ENGINE"
IMAGE: dict[str, object] = {"engine_id": ENGINE, "id": ID, "tags": ["app:1"], "size_bytes": 10, "digests": []}
STOPPED: dict[str, object] = {
    "engine_id": ENGINE,
    "id": CONTAINER,
    "name": "old",
    "image_id": ID,
    "seen_at": "2026-11-20T13:00:00Z",
}
UNUSED: dict[str, object] = {"engine_id": ENGINE, "name": VOLUME, "driver": "local", "created_at": MADE_AT}
BOUNDS: dict[str, object] = {"engine_id": ENGINE, "min_age_seconds": 3600, "keep_bytes": 5_000_000, "max_bytes": None}
GOOD: dict[str, dict[str, object]] = {
    "remove_image": IMAGE,
    "remove_container": STOPPED,
    "remove_volume": UNUSED,
    "prune_build_cache": BOUNDS,
    "prune_builder": BOUNDS | {"container_id": CONTAINER},
}
READS: dict[str, dict[str, object]] = {
    "identify": {},
    "observe": {"since": None, "until": MADE_AT, "pinned_id": None},
    "glance": {"pinned_id": ENGINE},
    "layers": {},
    "machine": {"docker_root": "/var/lib/docker", "runner_roots": [], "docker_configs": [], "seconds": 30},
}
THERE: dict[str, Behaviour] = {
    **plain_engine(),
    f"/images/{ID}/json": says({"Id": ID, "RepoTags": ["app:1"], "Size": 10}),
    f"/images/{ID}": says([{"Untagged": "app:1"}, {"Deleted": ID}]),
    f"/containers/{CONTAINER}/json": says(
        {"Id": CONTAINER, "Name": "/old", "Image": ID, "State": {"Status": "exited", "StartedAt": MADE_AT}}
    ),
    f"/containers/{CONTAINER}": says(None, status=204),
    f"/volumes/{VOLUME}": says({"Name": VOLUME, "Driver": "local", "CreatedAt": MADE_AT, "Mountpoint": "/v"}),
    "/build/prune": says({"CachesDeleted": ["r1"], "SpaceReclaimed": 7}),
}
AN_EXEC = {"Cmd": ["/bin/sh"], "Privileged": True, "Binds": ["/:/host"]}


@contextmanager
def engine_in(room: Room, behaviours: Mapping[str, Behaviour] = THERE) -> Iterator[EngineSocket]:
    """A stand-in for the engine at the socket that host.json names."""
    place = room.path("run/docker.sock")
    with EngineSocket(behaviours) as engine:
        os.link(engine.path, place)
        yield engine
        place.unlink()


def changing(engine: EngineSocket) -> list[Request]:
    return [request for request in engine.requests if request.method != "GET"]


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, EngineSocket]]:
    """One host with one engine for all: nothing here may send anything that changes it."""
    room = build(tmp_path_factory.mktemp("ready") / "root")
    with engine_in(room) as engine:
        yield room, engine
    room.close()


def configured(room: Room, change: Callable[[dict[str, Any]], object]) -> None:
    """host.json with another part for the engine."""
    part = copy.deepcopy(DOCKER)
    change(part)
    put(room.path("etc/launchplane/host.json"), json.dumps(CONFIG | {"docker": part}), mode=0o644)


@pytest.mark.req("D5")
def test_an_image_is_removed_by_one_request_that_it_makes_itself(room: Room) -> None:
    with engine_in(room) as engine:
        answer = room.docker_verb("remove_image", **IMAGE)
    assert answer.status == 0
    assert answer.fact("removal")["outcome"] == "done"
    assert answer.told["changed"] is True
    assert [(sent.method, sent.path, sent.query) for sent in changing(engine)] == [
        ("DELETE", f"/images/{ID}", "force=false&noprune=true")
    ]


@pytest.mark.parametrize("verb", ["remove_container", "remove_volume", "prune_build_cache"])
def test_each_removal_sends_one_request_and_tells_what_became_of_it(room: Room, verb: str) -> None:
    with engine_in(room) as engine:
        answer = room.docker_verb(verb, **GOOD[verb])
    assert (answer.status, answer.fact("removal")["outcome"]) == (0, "done")
    assert len(changing(engine)) == 1
    assert "force=true" not in repr(engine.requests)


@pytest.mark.parametrize("verb", REMOVALS[:4])
def test_a_dry_run_looks_and_sends_nothing_and_counts_for_nothing(room: Room, verb: str) -> None:
    with engine_in(room) as engine:
        answer = room.docker_verb(verb, dry_run=True, **GOOD[verb])
    assert (answer.status, answer.told["changed"]) == (0, False)
    assert answer.told["steps"] != []
    assert changing(engine) == []
    assert not room.path("var/lib/launchplane/removals").exists()


def test_what_is_another_thing_by_now_is_left_alone(room: Room) -> None:
    tagged = says({"Id": ID, "RepoTags": ["app:1", "app:latest"], "Size": 10})
    with engine_in(room, {**THERE, f"/images/{ID}/json": tagged}) as engine:
        answer = room.docker_verb("remove_image", **IMAGE)
    assert (answer.status, answer.fact("removal")["outcome"]) == (0, "skipped")
    assert (answer.told["changed"], answer.told["steps"]) == (False, [])
    assert changing(engine) == []


@pytest.mark.req("H14")
@pytest.mark.parametrize("silence", [raw(b""), cut_off([{"Deleted": ID}], after_bytes=5)], ids=["nothing", "half"])
def test_an_answer_that_is_lost_is_said_to_be_unknown(room: Room, silence: Behaviour) -> None:
    look = once(THERE[f"/images/{ID}/json"], raw(b""))
    behaviours = {**THERE, f"/images/{ID}": silence, f"/images/{ID}/json": look}
    with engine_in(room, behaviours) as engine:
        answer = room.docker_verb("remove_image", **IMAGE)
    assert (answer.status, answer.code) == (5, "removal_unknown")
    assert answer.fact("removal")["outcome"] == "unknown"
    assert len(changing(engine)) == 1


def test_where_nobody_answers_nothing_was_done(room: Room) -> None:
    answer = room.docker_verb("remove_image", **IMAGE)
    assert (answer.status, answer.code) == (4, "no_socket")


def test_another_engine_is_asked_for_nothing_else(room: Room) -> None:
    with engine_in(room) as engine:
        for verb, fields in GOOD.items():
            answer = room.docker_verb(verb, **fields | {"engine_id": "ANOTHER"})
            assert (answer.status, answer.code) == (4, "engine_replaced")
    assert changing(engine) == []


def test_an_engine_that_is_not_the_administrators_is_not_looked_at(room: Room) -> None:
    configured(room, lambda part: part.update(engine_id="PINNED:BY:ROOT"))
    with engine_in(room) as engine:
        codes = {
            room.docker_verb(verb, **fields).code for verb, fields in {**READS, **GOOD}.items() if verb != "machine"
        }
    assert codes == {"engine_replaced"}
    assert {request.path for request in engine.requests} == {"/version", "/info"}


@pytest.mark.req("H30")
@pytest.mark.parametrize(
    ("verb", "other"),
    [
        ("remove_image", {"tags": ["precious:1"]}),
        ("remove_image", {"tags": ["app:1", "precious:stable"]}),
        ("remove_image", {"id": f"sha256:{'f' * 64}"}),
        ("remove_container", {"name": "registry"}),
        ("remove_container", {"name": "buildx_buildkit_warm0"}),
        ("remove_volume", {"name": "pg_data"}),
        ("remove_volume", {"name": "buildx_buildkit_warm0_state"}),
    ],
    ids=repr,
)
def test_what_host_json_keeps_is_not_even_looked_at(
    ready: tuple[Room, EngineSocket], verb: str, other: dict[str, object]
) -> None:
    room, engine = ready
    before = len(engine.requests)
    answer = room.docker_verb(verb, **GOOD[verb] | other)
    assert (answer.status, answer.code) == (4, "protected")
    assert len(engine.requests) == before


def builder(name: str, **other: object) -> Behaviour:
    """The list of containers, with one that has a builder's name."""
    mounts = [{"Type": "volume", "Name": f"{name}_state", "Destination": "/var/lib/buildkit"}]
    found = {"Id": CONTAINER, "Names": [f"/{name}"], "State": "running", "Mounts": mounts}
    return says([found | other])


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        (builder("buildx_buildkit_warm0"), "protected"),
        (builder("buildx_buildkit_b0", State="exited"), "no_builder"),
        (builder("buildx_buildkit_b0", Mounts=[]), "no_builder"),
        (builder("web"), "no_builder"),
        (builder("buildx_buildkit_b0", Id="d" * 64), "no_builder"),
        (says([]), "no_builder"),
    ],
)
def test_nothing_is_run_in_a_container_that_is_no_builder_or_is_kept(room: Room, listed: Behaviour, code: str) -> None:
    with engine_in(room, {**THERE, "/containers/json": listed}) as engine:
        answer = room.docker_verb("prune_builder", **GOOD["prune_builder"])
    assert (answer.status, answer.code) == (4, code)
    assert changing(engine) == []


def test_a_removal_is_done_no_more_often_than_host_json_allows(room: Room) -> None:
    with engine_in(room) as engine:
        answers = [room.docker_verb("remove_image", **IMAGE) for _ in range(4)]
        other = room.docker_verb("remove_volume", **UNUSED)
    assert [answer.code for answer in answers] == ["", "", "over_cap", "over_cap"]
    assert (answers[3].status, other.code) == (4, "")
    assert len([sent for sent in changing(engine) if sent.path.startswith("/images")]) == 2


def test_what_failed_or_was_lost_counts_too(room: Room) -> None:
    with engine_in(room, {**THERE, f"/images/{ID}": says({"message": "no"}, status=500)}):
        codes = [room.docker_verb("remove_image", **IMAGE).code for _ in range(3)]
    assert codes == ["removal_failed", "removal_failed", "over_cap"]


def test_an_hour_later_it_may_be_done_again(room: Room) -> None:
    put(room.path("var/lib/launchplane/removals"), json.dumps({"remove_image": [1, 2, 3]}), mode=0o600)
    with engine_in(room):
        assert room.docker_verb("remove_image", **IMAGE).status == 0


def test_a_clock_that_was_set_back_makes_nothing_possible(room: Room) -> None:
    put(room.path("var/lib/launchplane/removals"), json.dumps({"remove_image": [1 << 40] * 2}), mode=0o600)
    with engine_in(room):
        assert room.docker_verb("remove_image", **IMAGE).code == "over_cap"


@pytest.mark.parametrize("written", ["", "{", "[]", '{"remove_image": 1}', '{"remove_image": [1.5]}', '{"a": [true]}'])
def test_a_count_that_cannot_be_understood_stops_everything(room: Room, written: str) -> None:
    put(room.path("var/lib/launchplane/removals"), written, mode=0o600)
    with engine_in(room) as engine:
        codes = {room.docker_verb(verb, **GOOD[verb]).code for verb in REMOVALS[:4]}
    assert codes == {"cap_unreadable"}
    assert changing(engine) == []


def test_a_count_that_others_can_write_stops_everything(room: Room) -> None:
    put(room.path("var/lib/launchplane/removals"), "{}", mode=0o666)
    with engine_in(room) as engine:
        assert room.docker_verb("remove_image", **IMAGE).code == "odd_file"
    assert changing(engine) == []


@pytest.mark.req("H28")
@pytest.mark.parametrize("verb", REMOVALS)
def test_every_removal_needs_the_session_that_holds_the_host(room: Room, verb: str) -> None:
    with engine_in(room) as engine:
        other = room.docker_verb(verb, **GOOD[verb], session="f" * 32)
        room.let_go()
        ended = room.docker_verb(verb, **GOOD[verb])
    assert (other.code, ended.code) == ("not_held", "not_held")
    assert engine.requests == []


@pytest.mark.parametrize("verb", REMOVALS)
def test_a_change_that_was_overtaken_is_refused(room: Room, verb: str) -> None:
    room.unit_verb("daemon-reload", fencing_token=900)
    with engine_in(room) as engine:
        assert room.docker_verb(verb, **GOOD[verb], fencing_token=899).code == "stale_token"
    assert engine.requests == []


@pytest.mark.parametrize("verb", [*GOOD, *READS])
def test_nobody_but_root_is_told_or_does_anything(ready: tuple[Room, EngineSocket], verb: str) -> None:
    room, engine = ready
    before = len(engine.requests)
    request = room.request(verb, lane=..., user=..., root=..., unit=..., **{**GOOD, **READS}[verb])
    if verb in READS:
        del request["fencing_token"], request["session"]
    answer = room.say("launchplane-docker", request, user="operator")
    assert (answer.status, answer.code) == (4, "not_root")
    assert len(engine.requests) == before


@pytest.mark.parametrize("verb", [verb for verb in [*GOOD, *READS] if verb != "layers"])
def test_no_body_is_taken(ready: tuple[Room, EngineSocket], verb: str) -> None:
    room, engine = ready
    before = len(engine.requests)
    answer = room.docker_verb(verb, json.dumps(AN_EXEC).encode(), **{**GOOD, **READS}[verb])
    assert (answer.status, answer.code) == (2, "too_much")
    assert len(engine.requests) == before


@pytest.mark.parametrize(
    ("verb", "field"), list(zip([*GOOD, *READS], ["path", "body", "method", "Cmd", "force", "lane"] * 2, strict=False))
)
def test_no_field_of_a_raw_request_is_taken(ready: tuple[Room, EngineSocket], verb: str, field: str) -> None:
    room, engine = ready
    before = len(engine.requests)
    answer = room.docker_verb(verb, **{**GOOD, **READS}[verb] | {field: AN_EXEC})
    assert (answer.status, answer.code) == (2, "fields")
    assert len(engine.requests) == before


@pytest.mark.parametrize("verb", ["exec", "run", "system_prune", "remove_network", "POST /containers/create", "", None])
def test_no_verb_but_these(ready: tuple[Room, EngineSocket], verb: object) -> None:
    room, engine = ready
    before = len(engine.requests)
    answer = room.say("launchplane-docker", room.request("observe") | {"verb": verb})
    assert (answer.status, answer.code) == (2, "unknown_verb")
    assert len(engine.requests) == before


def test_the_machine_is_read_where_host_json_allows_and_nowhere_else(room: Room) -> None:
    room.path("root/.docker").mkdir(parents=True)
    put(room.path("root/.docker/config.json"), json.dumps({"auths": {"registry.example": {}}}), mode=0o600)
    room.path("opt/runners").mkdir(parents=True)
    put(room.path("etc/secret.json"), json.dumps({"auths": {"secret.example": {}}}), mode=0o600)
    allowed = {"runner_roots": ["/opt/runners", "/srv/runners"], "docker_configs": ["/root/.docker"], "seconds": 30}
    good = room.docker_verb("machine", docker_root="/var/lib/docker", **allowed).fact("machine")
    bad = room.docker_verb(
        "machine", docker_root="/", runner_roots=["/root"], docker_configs=["/etc/secret.json"], seconds=30
    ).fact("machine")
    assert [login["registry"] for login in _list(good["registry_logins"])] == ["registry.example"]
    assert [root["path"] for root in _list(good["runner_roots"])] == ["/opt/runners", "/srv/runners"]
    assert (bad["registry_logins"], bad["runner_roots"], bad["container_logs"]) == (None, None, None)
    assert "secret.example" not in json.dumps(bad)
    unmeasured = bad["unmeasured"]
    assert isinstance(unmeasured, dict)
    assert {"registry_logins", "runner_roots", "container_logs", "disk:/root"} <= set(unmeasured)


def _list(told: object) -> list[dict[str, object]]:
    assert isinstance(told, list)
    return told


def test_without_a_part_for_the_engine_nothing_is_told(room: Room) -> None:
    put(room.path("etc/launchplane/host.json"), json.dumps(CONFIG), mode=0o644)
    with engine_in(room) as engine:
        answers: list[Answer] = [room.docker_verb(verb, **fields) for verb, fields in {**GOOD, **READS}.items()]
    assert {(answer.status, answer.code) for answer in answers} == {(4, "no_docker")}
    assert engine.requests == []


def test_a_second_removal_at_the_same_time_is_busy(room: Room) -> None:
    script = "import fcntl;f=open('/var/lib/launchplane/lock','r+');fcntl.flock(f,2);print('held',flush=True);input()"
    room.start(["/usr/bin/python3", "-c", script])
    with engine_in(room) as engine:
        assert room.docker_verb("remove_image", **IMAGE).status == 3
    assert engine.requests == []


def test_an_engine_that_never_answers_does_not_hold_it_for_ever(room: Room) -> None:
    """The version is asked for first, and everything waits for it no longer than one call may take."""
    with engine_in(room, {**THERE, "/version": hangs}):
        answer = room.docker_verb("identify")
    assert (answer.status, answer.code) == (4, "timed_out")


def test_a_module_that_others_can_write_stops_it(room: Room) -> None:
    room.path(f"{PROGRAMS}/onhost/engine/removing.py").chmod(0o666)
    with engine_in(room) as engine:
        assert room.docker_verb("remove_image", **IMAGE).status == 6
    assert engine.requests == []
