"""An engine that misbehaves: a sentence, an exit code, null for what is not known, and the last report stays."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from hygiene import observe as observing
from hygiene.contracts import Kind
from hygiene.inventory import frees_alone, latest, reclaim
from hygiene.models import ObservationRun, Resource, Snapshot
from launchplane.hosts import connect
from launchplane.hosts.local_engine import LocalEngine
from launchplane.hosts.models import Contact, Host
from onhost.engine.reading import Limits
from tests.faults import Behaviour, EngineSocket, cut_off, drips, hangs, html, plain_engine, says, speaks
from tests.hosts.nobody import as_nobody, needs_root, open_to_all
from tests.shell import Outcome, manage

pytestmark = pytest.mark.django_db

IMAGE = f"sha256:{'1' * 64}"
GONE = f"sha256:{'2' * 64}"
QUICK = Limits(call_seconds=2, df_seconds=2, builders_seconds=2, layers_seconds=2)
SLOW_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n" + b" " * 900


def an_image(image_id: str = IMAGE, **fields: Any) -> dict[str, Any]:
    """An image as `/system/df` and `/images/json` show it: dangling, 90 days old."""
    names = {"Id": image_id, "RepoTags": None, "RepoDigests": None, "Labels": None}
    return names | {"Created": 1_700_000_000, "Size": 5000, "SharedSize": 0, "Containers": 0} | fields


def a_container(**fields: Any) -> dict[str, Any]:
    """A running container of that image, as `/system/df` and `/containers/json` show it."""
    names = {"Id": "c" * 64, "Names": ["/web"], "Image": "web", "ImageID": IMAGE}
    return names | {"State": "running", "Created": 1, "Labels": None, "Mounts": []} | fields


def a_volume(**fields: Any) -> dict[str, Any]:
    return {"Name": "data", "Driver": "local", "Mountpoint": "/d", "Labels": None} | fields


def usage(**changes: Any) -> dict[str, Any]:
    base = {"LayersSize": 5000, "Images": [an_image()], "Containers": [], "Volumes": [], "BuildCache": []}
    return base | changes


def an_engine(**df: Any) -> dict[str, Behaviour]:
    """An engine with one image of one layer. `df` replaces fields of its disk usage."""
    document = usage(**df)
    return plain_engine() | {
        "/system/df": says(document),
        "/images/json": says(document.get("Images") or []),
        "/images/sha256:1+/json": says({"RootFS": {"Layers": ["sha256:" + "a" * 64]}}),
        "/images/sha256:1+/history": says([{"Size": 5000}]),
    }


@pytest.fixture(autouse=True)
def quick_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's real door, with a fraction of its patience."""
    monkeypatch.setattr(connect, "LocalEngine", partial(LocalEngine, limits=QUICK))


@pytest.fixture
def engine() -> Iterator[EngineSocket]:
    with EngineSocket(an_engine()) as engine:
        yield engine


@pytest.fixture
def host(engine: EngineSocket) -> Host:
    """A host that was added and observed while its engine behaved."""
    assert manage("hosts", "add", "ci-1", "--docker-url", engine.url).code == 0
    assert manage("hygiene", "report", "ci-1", "--json").json["docker_reclaimable_bytes"] == 5000
    return Host.objects.get()


def report(*options: str) -> Outcome:
    return manage("hygiene", "report", "ci-1", "--json", *options)


def stored() -> tuple[Any, int, int]:
    return report("--stored").json, Snapshot.objects.count(), Resource.objects.count()


UNREACHABLE: list[tuple[str, dict[str, Behaviour], str, str]] = [
    ("hangs", {"/version": hangs}, "timed_out", "did not finish answering /version within 2 s"),
    ("drips", {"/version": drips(SLOW_JSON)}, "timed_out", "did not finish answering /version"),
    ("hangs at /info", {"/info": hangs}, "timed_out", "did not finish answering /info"),
    (
        "is cut",
        {"/version": cut_off({"ApiVersion": "1.41"}, after_bytes=9)},
        "answer_cut",
        "was cut off before its end",
    ),
    ("speaks HTML", {"/version": html()}, "not_an_engine", "it answers with an HTML page. Check the address."),
    ("500s", {"/info": says({"message": "no disk"}, status=500)}, "engine_error", "status 500: no disk"),
    ("500s in HTML", {"/version": html(status=500)}, "not_an_engine", "it answers with an HTML page"),
    ("is too old", {"/version": says({"ApiVersion": "1.40"})}, "api_too_old", "needs 1.41 (Docker 20.10) or newer"),
]


@pytest.mark.req("H11")
@pytest.mark.parametrize(
    ("faults", "code", "words"), [case[1:] for case in UNREACHABLE], ids=[c[0] for c in UNREACHABLE]
)
def test_an_engine_that_cannot_be_used_is_unreachable_and_the_last_report_stays(
    host: Host, engine: EngineSocket, faults: dict[str, Behaviour], code: str, words: str
) -> None:
    before = stored()
    engine.behaviours |= faults

    outcome = report()

    assert outcome.code == 2
    assert outcome.error["code"] == code
    assert words in outcome.error["summary"]
    assert words in outcome.err
    assert stored() == before
    contact = Contact.objects.latest()
    assert (contact.reachable, contact.code) == (False, code)
    run = ObservationRun.objects.latest()
    assert (run.status, run.code, run.snapshot) == ("failed", code, None)


@pytest.mark.parametrize(
    ("faults", "code", "words"), [case[1:] for case in UNREACHABLE], ids=[c[0] for c in UNREACHABLE]
)
def test_an_engine_that_cannot_be_used_cannot_be_added(faults: dict[str, Behaviour], code: str, words: str) -> None:
    with EngineSocket(an_engine() | faults) as engine:
        outcome = manage("hosts", "add", "ci-1", "--docker-url", engine.url, "--json")

    assert (outcome.code, outcome.error["code"]) == (2, code)
    assert words in outcome.err
    assert not Host.objects.exists()


def test_no_socket_is_unreachable_and_the_last_report_stays(host: Host, tmp_path: Path) -> None:
    Host.objects.update(docker_url=f"unix://{tmp_path}/docker.sock")
    before = stored()

    outcome = report()

    assert (outcome.code, outcome.error["code"]) == (2, "no_socket")
    assert f"There is no socket at {tmp_path}/docker.sock. Start Docker" in outcome.err
    assert stored() == before


@needs_root
def test_a_socket_that_this_user_may_not_open_is_unreachable(
    host: Host, engine: EngineSocket, tmp_path: Path, settings: Settings
) -> None:
    before = stored()
    open_to_all(tmp_path)
    tmp_path.chmod(0o777)
    settings.VAR = tmp_path
    open_to_all(engine.path.parent)
    engine.path.chmod(0o600)

    with as_nobody():
        outcome = report()

    assert (outcome.code, outcome.error["code"]) == (2, "permission_denied")
    assert "Run Launchplane's workers as a user that may use Docker" in outcome.err
    assert stored() == before


@needs_root
def test_a_user_who_may_not_write_the_state_directory_is_told(host: Host, tmp_path: Path, settings: Settings) -> None:
    open_to_all(tmp_path)
    settings.VAR = tmp_path

    with as_nobody():
        outcome = report()

    assert (outcome.code, outcome.error["code"]) == (2, "lock_unusable")
    assert f"{tmp_path}/locks" in outcome.err


def test_another_engine_than_the_pinned_one_is_refused_and_nothing_is_stored(host: Host, engine: EngineSocket) -> None:
    before = stored()
    engine.behaviours |= plain_engine(info={"ID": "ANOTHER:ENGINE"})
    engine.requests.clear()

    outcome = report()

    assert (outcome.code, outcome.error["code"]) == (4, "engine_replaced")
    assert "ANOTHER:ENGINE; pinned is PLAIN:ENGINE" in outcome.err
    assert {request.path for request in engine.requests} == {"/version", "/info"}
    assert stored() == before


def test_an_id_that_would_steer_a_terminal_is_shown_without_its_control_characters(
    host: Host, engine: EngineSocket
) -> None:
    engine.behaviours |= plain_engine(info={"ID": "EVIL\x1b[2J\nAll is well: \u202e"})

    outcome = report()

    assert outcome.code == 4
    assert "EVIL⟨ESC⟩[2J⟨LF⟩All is well: ⟨U+202E⟩" in outcome.err
    assert outcome.out.isascii()


@pytest.mark.req("H4")
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (
            says({"message": "a disk usage operation is already running"}, status=500),
            "Another disk usage calculation was running",
        ),
        (hangs, "did not finish answering /system/df within 2 s"),
        (drips(SLOW_JSON), "did not finish answering /system/df within 2 s"),
        (cut_off(usage(), after_bytes=40), "was cut off before its end"),
        (html(), "it answers with an HTML page"),
        (says({"message": "cannot walk"}, status=500), "status 500: cannot walk"),
        (speaks(b"{}"), ""),
    ],
    ids=["refused", "hangs", "drips", "cut", "html", "500", "empty"],
)
def test_disk_usage_that_is_not_told_is_null_and_a_finding_never_zero(
    host: Host, engine: EngineSocket, behaviour: Behaviour, reason: str
) -> None:
    engine.behaviours["/system/df"] = behaviour

    outcome = report()

    found = outcome.json
    assert outcome.code == 3
    assert found["docker_reclaimable_bytes"] is None
    assert found["joint_reclaim_bytes"] is None
    assert found["unattributed_bytes"] is None
    assert set(found["docker_summary"].values()) == {None}
    assert "measurement_partial" in {finding["code"] for finding in found["findings"]}
    assert {"docker_reclaimable_bytes", "joint_reclaim_bytes", "unattributed_bytes"} <= found["unmeasured"].keys()
    assert any(reason in why for why in found["unmeasured"].values())


@pytest.mark.req("X3")
def test_what_an_image_frees_is_not_known_while_the_build_cache_is_not(host: Host, engine: EngineSocket) -> None:
    engine.behaviours["/system/df"] = hangs
    report()
    view = latest(host)
    assert view is not None

    found = reclaim(view, [(Kind.IMAGE, IMAGE)])

    assert (found.freed_bytes, found.at_most_bytes, found.refused) == (None, None, ())
    assert found.sentences == ("The build cache could not be read, and it may hold layers of these images.",)
    assert frees_alone(view, view.rows[0]) is None


@pytest.mark.req("H7")
@pytest.mark.parametrize("missing", ["Images", "Containers", "Volumes", "BuildCache", "LayersSize"])
def test_a_disk_usage_with_a_field_missing_is_not_a_zero(host: Host, engine: EngineSocket, missing: str) -> None:
    document = {name: value for name, value in usage().items() if name != missing}
    engine.behaviours["/system/df"] = says(document)

    found = report().json

    assert found["docker_reclaimable_bytes"] is None
    assert "measurement_partial" in {finding["code"] for finding in found["findings"]}


@pytest.mark.req("H46")
def test_sizes_of_minus_one_are_null_never_zero(host: Host, engine: EngineSocket) -> None:
    image = an_image(Size=-1, SharedSize=-1)
    volume = a_volume(UsageData={"Size": -1, "RefCount": -1})
    engine.behaviours |= an_engine(Images=[image], Volumes=[volume]) | {"/volumes": says({"Volumes": [volume]})}

    found = report().json

    assert found["docker_summary"]["volumes"] == {
        "count": 1,
        "active": 0,
        "size_bytes": None,
        "reclaimable_bytes": None,
    }
    assert found["docker_reclaimable_bytes"] is None
    rows = {row["kind"]: row for row in manage("hygiene", "inventory", "ci-1", "--json").json["resources"]}
    assert rows["image"]["size_bytes"] is rows["image"]["shared_bytes"] is rows["image"]["unique_bytes"] is None
    assert rows["image"]["class"] == "unknown"
    assert (rows["volume"]["size_bytes"], rows["volume"]["details"]["ref_count"]) == (None, None)


def test_an_image_removed_between_list_and_inspect_spoils_nothing(host: Host, engine: EngineSocket) -> None:
    engine.behaviours |= an_engine(Images=[an_image(), an_image(GONE, Size=7000)], LayersSize=12000)

    outcome = report()

    assert outcome.code in (0, 3)
    assert outcome.json["docker_summary"]["images"]["count"] == 2
    assert outcome.json["docker_reclaimable_bytes"] == 12000
    assert ObservationRun.objects.latest().status == "done"


SILENT: list[dict[str, Behaviour]] = [{"/containers/json": hangs}, {"/containers/json": html(status=500)}]


@pytest.mark.req("H17")
@pytest.mark.parametrize("silent", SILENT, ids=["hangs", "500"])
def test_without_the_containers_nothing_is_said_to_be_unused_or_an_orphan(
    host: Host, engine: EngineSocket, silent: dict[str, Behaviour]
) -> None:
    volumes = [a_volume(Name=name) for name in ("data", "buildx_buildkit_ci0_state")]
    engine.behaviours |= silent | {"/system/df": hangs, "/volumes": says({"Volumes": volumes})}

    found = report().json

    assert "containers" in found["unmeasured"]
    assert found["orphan_buildkit_volumes"] is None
    rows = manage("hygiene", "inventory", "ci-1", "--json").json["resources"]
    assert {row["kind"]: row["class"] for row in rows} == {
        "image": "unknown",
        "volume": "unknown",
        "builder": "unknown",
    }


@pytest.mark.req("X5")
def test_a_pass_that_could_not_list_the_containers_ends_no_use(host: Host, engine: EngineSocket) -> None:
    running = a_container()
    engine.behaviours |= an_engine(Containers=[running]) | {"/containers/json": says([running])}
    report()
    engine.behaviours |= SILENT[1] | {"/system/df": hangs}

    report()

    image, container = (Resource.objects.get(kind=kind) for kind in ("image", "container"))
    assert (image.in_use, image.last_used_at, image.unused_since) == (True, None, None)
    assert (container.in_use, container.gone_at) == (True, None)


NASTY = "evil\nok: healthy\x1b[2J\x9b31m\u202e\u0000name"


def test_names_that_would_forge_lines_or_steer_a_terminal_are_shown_harmless(host: Host, engine: EngineSocket) -> None:
    labels = {"long": "x" * 4096, NASTY: NASTY}
    nasty = an_image(RepoTags=[f"{NASTY}:1"], Labels=labels)
    container = a_container(Names=[f"/{NASTY}"], Image=NASTY, State="exited")
    volume = a_volume(Name=NASTY, Driver=NASTY, Mountpoint=NASTY, Labels=labels, UsageData={"Size": 1, "RefCount": 0})
    engine.behaviours |= an_engine(Images=[nasty], Containers=[container], Volumes=[volume])
    engine.behaviours |= {"/volumes": says({"Volumes": [volume]}), "/containers/json": says([container])}

    printed = [manage("hygiene", *words) for words in (["report", "ci-1"], ["inventory", "ci-1"])]

    for outcome in printed:
        assert outcome.err == ""
        assert all(character.isprintable() or character == "\n" for character in outcome.out)
        assert not [line for line in outcome.out.splitlines() if line.startswith("ok: healthy")]
    assert "evil⟨LF⟩ok: healthy⟨ESC⟩[2J" in printed[1].out
    names = {row["kind"]: row["name"] for row in manage("hygiene", "inventory", "ci-1", "--json").json["resources"]}
    assert names["container"] == names["volume"] == NASTY.replace("\0", "�")


def test_json_for_programs_is_ascii(host: Host, engine: EngineSocket) -> None:
    engine.behaviours |= an_engine(Images=[an_image(RepoTags=["\u009b31m:1"])])

    report()

    assert manage("hygiene", "inventory", "ci-1", "--json").out.isascii()


def test_a_second_reading_of_the_machine_has_its_own_time(
    monkeypatch: pytest.MonkeyPatch, host: Host, engine: EngineSocket
) -> None:
    monkeypatch.setattr(observing, "MACHINE_TIME", timedelta(seconds=0.5))
    engine.behaviours |= plain_engine(info={"DockerRootDir": "/moved"}) | {"/system/df": hangs}

    facts = report().json["unmeasured"]

    assert "docker_summary" in facts
    assert not [reason for reason in facts.values() if "not finished within 0 s" in reason]
