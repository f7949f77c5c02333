"""What a misbehaving engine does to an observation: a sentence each, in bounded time, and never a zero."""

import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from hygiene.observe import MACHINE_TIME
from launchplane.hosts.contracts import RawObservation
from launchplane.hosts.errors import EngineUnavailable
from launchplane.hosts.local_engine import LocalEngine
from onhost.engine.reading import Limits
from tests.faults import Behaviour, EngineSocket, cut_off, drips, hangs, html, plain_engine, raw, says, speaks
from tests.hosts.nobody import as_nobody, needs_root, open_to_all

QUICK = Limits(call_seconds=0.4, df_seconds=0.6, layers_seconds=1)
NOW = datetime.now(UTC)
SLOW_HEADERS = b"HTTP/1.1 200 OK\r\n" + b"X-Slow: yes\r\n" * 1000
SLOW_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n[" + b" " * 4000


def refusal(url: str) -> EngineUnavailable:
    with pytest.raises(EngineUnavailable) as caught:
        LocalEngine(url, limits=QUICK).identify()
    return caught.value


def observation(engine: EngineSocket, *, since: datetime | None = None) -> RawObservation:
    return LocalEngine(engine.url, limits=QUICK).observe(since=since, until=NOW, progress=lambda _: None)


def reason(engine: EngineSocket, name: str) -> str:
    answer = observation(engine, since=NOW - timedelta(hours=1)).answers[name]
    assert answer.value is None
    assert answer.reason is not None
    return answer.reason


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:2375", "ssh://host", "http://127.0.0.1", "", "unix://docker.sock"])
def test_only_an_absolute_unix_socket_is_an_address(url: str) -> None:
    assert refusal(url).code == "url_not_supported"


def test_a_missing_socket_is_said_with_its_path(tmp_path: Path) -> None:
    problem = refusal(f"unix://{tmp_path}/docker.sock")

    assert problem.code == "no_socket"
    assert f"{tmp_path}/docker.sock" in problem.sentence


def test_a_socket_that_nobody_listens_at_is_said(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "s"))

    assert refusal(f"unix://{tmp_path}/s").code == "not_listening"


@needs_root
def test_a_socket_that_this_user_may_not_open_is_said(tmp_path: Path) -> None:
    open_to_all(tmp_path)
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(tmp_path / "s"))
        closed.listen()
        (tmp_path / "s").chmod(0o660)
        with as_nobody():
            problem = refusal(f"unix://{tmp_path}/s")

    assert problem.code == "permission_denied"
    assert f"{tmp_path}/s" in problem.sentence


def test_an_engine_that_takes_no_more_connections_is_said(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stopped, socket.socket(socket.AF_UNIX) as waiting:
        stopped.bind(str(tmp_path / "s"))
        stopped.listen(0)
        waiting.connect(str(tmp_path / "s"))

        assert refusal(f"unix://{tmp_path}/s").code == "not_accepting"


@pytest.mark.req("H11")
@pytest.mark.parametrize(
    "behaviour", [hangs, drips(SLOW_HEADERS), drips(SLOW_BODY)], ids=["hangs", "drips headers", "drips the body"]
)
def test_an_engine_that_is_too_slow_is_given_up_at_the_deadline(behaviour: Behaviour) -> None:
    started = time.monotonic()
    with EngineSocket({"/version": behaviour}) as engine:
        problem = refusal(engine.url)

    assert problem.code == "timed_out"
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (html(), "not_an_engine"),
        (html(status=502), "not_an_engine"),
        (raw(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "not_an_engine"),
        (speaks(b"plain text"), "not_an_engine"),
        (says({"hello": "world"}), "not_an_engine"),
        (says([1, 2]), "unexpected_shape"),
        (raw(b""), "answer_cut"),
        (cut_off({"ApiVersion": "1.41"}, after_bytes=8), "answer_cut"),
        (speaks(b'{"ApiVersion": "1.4'), "answer_cut"),
        (says({"message": "disk on fire"}, status=500), "engine_error"),
        (says({"ApiVersion": "1.40"}), "api_too_old"),
        (says({"ApiVersion": "1.60", "MinAPIVersion": "1.53"}), "api_too_new"),
        (says({"ApiVersion": "one"}), "not_an_engine"),
        (raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"), "not_an_engine"),
    ],
)
def test_what_is_not_a_usable_engine_is_refused_with_a_code(behaviour: Behaviour, code: str) -> None:
    with EngineSocket({"/version": behaviour}) as engine:
        assert refusal(engine.url).code == code


def test_an_engine_without_an_id_is_refused() -> None:
    with EngineSocket(plain_engine(info={"ID": ""})) as engine:
        assert refusal(engine.url).code == "not_an_engine"


@pytest.mark.req("X8")
@pytest.mark.parametrize(("server", "used"), [("1.41", "1.41"), ("1.50", "1.50"), ("1.52", "1.52"), ("1.99", "1.52")])
def test_the_api_version_is_pinned_within_the_tested_range(server: str, used: str) -> None:
    with EngineSocket(plain_engine(version={"ApiVersion": server})) as engine:
        identity = observation(engine).identity

    assert identity.api_version == used
    assert {request.version for request in engine.requests[1:]} == {used}


def test_df_is_asked_for_items_only_where_the_engine_knows_the_word() -> None:
    queries = {}
    for server in ("1.51", "1.52"):
        with EngineSocket(plain_engine(version={"ApiVersion": server})) as engine:
            observation(engine)
        queries[server] = [request.query for request in engine.requests if request.path == "/system/df"]

    assert queries == {"1.51": [""], "1.52": ["verbose=1"]}


@pytest.mark.req("H4")
@pytest.mark.parametrize("name", ["containers", "volumes", "events"])
@pytest.mark.parametrize(
    "behaviour",
    [
        hangs,
        drips(SLOW_BODY),
        html(),
        raw(b""),
        cut_off([{"Id": "a"}], after_bytes=5),
        says({"message": "no"}, status=500),
    ],
    ids=["hangs", "drips", "html", "hangs up", "cut", "500"],
)
def test_one_failing_answer_has_a_reason_and_the_others_are_there(name: str, behaviour: Behaviour) -> None:
    path = {"containers": "/containers/json"}.get(name, f"/{name}")
    with EngineSocket(plain_engine() | {path: behaviour}) as engine:
        answers = observation(engine, since=NOW - timedelta(hours=1)).answers

    assert [failed for failed, answer in answers.items() if answer.failed] == [name]
    assert answers[name].value is None


def test_the_list_of_images_is_asked_for_only_when_there_is_no_disk_usage() -> None:
    with EngineSocket(plain_engine()) as engine:
        assert "images" not in observation(engine).answers

    with EngineSocket(plain_engine() | {"/system/df": hangs}) as engine:
        answers = observation(engine).answers
    assert answers["df"].failed
    assert answers["images"].value == []


def test_a_refused_df_is_told_apart_and_not_asked_again() -> None:
    busy = says({"message": "a disk usage operation is already running"}, status=500)
    with EngineSocket(plain_engine() | {"/system/df": busy}) as engine:
        told = reason(engine, "df")

    assert told.startswith("Another disk usage calculation was running")
    assert [request.path for request in engine.requests].count("/system/df") == 1


def test_the_engines_message_is_one_short_line_without_control_characters() -> None:
    with EngineSocket(
        plain_engine() | {"/volumes": says({"message": "a\x1b[31m\nb\x00" + "c" * 5000}, status=500)}
    ) as engine:
        told = reason(engine, "volumes")

    assert told.isprintable()
    assert len(told) < 400
    assert "a [31m b ccc" in told


@pytest.mark.parametrize(
    "body",
    [b'[{"Id": NaN}]', b'[{"SizeRw": 1e999}]', b"[" * 100_000, b'[{"Labels": "text"}]', b"[null]", b"[{}] trailing"],
)
def test_an_answer_of_an_unexpected_shape_is_a_reason(body: bytes) -> None:
    with EngineSocket(plain_engine() | {"/containers/json": speaks(body)}) as engine:
        assert reason(engine, "containers")


def test_an_answer_beyond_the_size_limit_is_not_read_to_its_end() -> None:
    endless = raw(b"HTTP/1.1 200 OK\r\n\r\n[" + b" " * 1_000_000)
    limits = Limits(answer_bytes=100_000)
    with EngineSocket(plain_engine() | {"/containers/json": endless}) as engine:
        seen = LocalEngine(engine.url, limits=limits).observe(since=None, until=NOW, progress=lambda _: None)

    assert seen.answers["containers"].reason == "The engine's answer is larger than 100000 bytes: not read."


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("containers", b"[" + b"{}," * 200_000 + b"{}]"),
        ("events", b"{}" * 200_001),
    ],
)
def test_an_answer_of_more_than_anybody_has_is_a_reason(name: str, body: bytes) -> None:
    path = {"containers": "/containers/json"}.get(name, f"/{name}")
    limits = Limits(call_seconds=10)
    with EngineSocket(plain_engine() | {path: speaks(body)}) as engine:
        seen = LocalEngine(engine.url, limits=limits).observe(since=NOW, until=NOW, progress=lambda _: None)

    assert "more than" in (seen.answers[name].reason or "")


def test_the_slowest_pass_ends_well_before_the_queue_stops_its_worker() -> None:
    limits, machine = Limits(), MACHINE_TIME.total_seconds()
    introduction = 2 * limits.call_seconds  # /version and /info
    beside_each_other = max(limits.df_seconds, limits.call_seconds + limits.builders_seconds, machine)
    again = limits.call_seconds + machine  # the list of images without the disk usage, the machine at another root
    layers = introduction + limits.layers_seconds

    assert introduction + beside_each_other + again + layers <= 0.75 * int(str(settings.Q_CLUSTER["timeout"]))


def test_an_engine_that_stops_in_the_middle_of_a_pass_is_unavailable() -> None:
    def answer_for_the_last_time(client: socket.socket, over: threading.Event) -> None:
        engine.path.unlink()
        plain_engine()["/info"](client, over)

    behaviours = plain_engine() | {"/info": answer_for_the_last_time}
    with EngineSocket(behaviours) as engine, pytest.raises(EngineUnavailable) as caught:
        observation(engine)

    assert caught.value.code == "no_socket"


@pytest.mark.parametrize(
    ("swarm", "value", "why"),
    [
        ({"LocalNodeState": "inactive"}, [], None),
        ({"LocalNodeState": "active", "ControlAvailable": True}, [{"ID": "s"}], None),
        (
            {"LocalNodeState": "active", "ControlAvailable": False},
            None,
            "this engine is a swarm worker and cannot see its services",
        ),
        ({"LocalNodeState": "locked"}, None, "the engine's place in a swarm is locked, so services can't be listed"),
        ({}, None, "the engine's place in a swarm is not told, so services can't be listed"),
    ],
)
def test_services_are_none_unknown_or_listed_by_the_engines_place_in_a_swarm(
    swarm: dict[str, object], value: object, why: str | None
) -> None:
    with EngineSocket(plain_engine(info={"Swarm": swarm}) | {"/services": says([{"ID": "s"}])}) as engine:
        answer = observation(engine).answers["services"]

    assert (answer.value, answer.reason) == (value, why)


@pytest.mark.parametrize(
    ("count", "first_age_seconds", "truncated"), [(255, 10, False), (256, 10, True), (256, 3601, True), (0, 0, False)]
)
def test_events_say_when_older_ones_may_have_been_lost(count: int, first_age_seconds: int, truncated: bool) -> None:
    first = int(NOW.timestamp()) - first_age_seconds
    stream = "\n".join(json.dumps({"Type": "image", "Action": "pull", "time": first + n}) for n in range(count))
    with EngineSocket(plain_engine() | {"/events": speaks(stream.encode())}) as engine:
        value = observation(engine, since=NOW - timedelta(hours=1)).answers["events"].value

    assert len(value["events"]) == count
    assert value["truncated"] is truncated


def test_without_an_earlier_pass_no_events_are_asked_for() -> None:
    with EngineSocket(plain_engine()) as engine:
        value = observation(engine).answers["events"].value

    assert value == {"events": [], "truncated": True}
    assert "/events" not in [request.path for request in engine.requests]


def test_an_image_removed_between_list_and_inspect_is_gone_and_the_others_are_read() -> None:
    kept, removed = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    behaviours = plain_engine() | {
        f"/images/{kept}/json": says({"RootFS": {"Layers": ["sha256:1", "sha256:2"]}, "Config": {"Env": ["S=1"]}}),
        f"/images/{kept}/history": says([{"Size": 20, "CreatedBy": "secret"}, {"Size": 0}, {"Size": 10}]),
        f"/images/{removed}/json": says({"message": "No such image"}, status=404),
    }
    with EngineSocket(behaviours) as engine:
        found = LocalEngine(engine.url, limits=QUICK).image_layers([kept, removed, "x/../y"], progress=lambda _: None)

    assert found[kept].value == {"layers": ["sha256:1", "sha256:2"], "sizes": [10, 0, 20]}
    assert found[removed].reason == "gone"
    assert found["x/../y"].reason == "this is not an image id"


def with_builders(count: int, *, builder: Behaviour) -> dict[str, Behaviour]:
    """An engine with running builders that all answer a read like this."""
    builders = [
        {
            "Id": f"{number:064x}",
            "Names": [f"/buildx_buildkit_ci{number}"],
            "State": "running",
            "Mounts": [{"Destination": "/var/lib/buildkit"}],
        }
        for number in range(count)
    ]
    return plain_engine() | {"/containers/json": says(builders), "/containers/.*/exec": builder}


@pytest.mark.req("H11")
def test_no_more_builders_are_asked_than_the_limit_and_the_rest_have_a_reason() -> None:
    limits = Limits(builders_asked=2)
    with EngineSocket(with_builders(4, builder=says({"message": "no"}, status=500))) as engine:
        answers = LocalEngine(engine.url, limits=limits).observe(since=None, until=NOW, progress=lambda _: None).answers

    left_out = [name for name, answer in answers.items() if "was not asked" in (answer.reason or "")]
    assert {name.split("/")[1] for name in left_out} == {f"{number:064x}" for number in (2, 3)}
    assert len(left_out) == 6
    assert len([request for request in engine.requests if request.exec_argv]) == 6


@pytest.mark.req("H11")
def test_reading_builders_stops_at_its_own_deadline() -> None:
    limits = Limits(call_seconds=0.4, builders_seconds=0.6)
    started = time.monotonic()
    with EngineSocket(with_builders(20, builder=hangs)) as engine:
        seen = LocalEngine(engine.url, limits=limits).observe(since=None, until=NOW, progress=lambda _: None)

    assert sum(answer.failed for answer in seen.answers.values()) == 60
    assert time.monotonic() - started < 2


@pytest.mark.req("H11")
def test_reading_layers_stops_at_its_own_deadline() -> None:
    ids = [f"sha256:{number:064x}" for number in range(40)]
    started = time.monotonic()
    with EngineSocket(plain_engine() | {"/images/.*": hangs}) as engine:
        found = LocalEngine(engine.url, limits=QUICK).image_layers(ids, progress=lambda _: None)

    assert len(found) == 40
    assert all(answer.failed for answer in found.values())
    assert time.monotonic() - started < 2.5
