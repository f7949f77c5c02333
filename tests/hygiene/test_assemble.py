"""One inventory and one set of readings out of the answers of a pass: whatever is missing has its reason."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.parse.assemble import assemble_inventory, assemble_readings
from launchplane.canonical import canonical
from launchplane.hosts.contracts import Answer, DiskReading, EngineIdentity, MachineFacts, RawObservation
from tests.hygiene.raw import anything

SAMPLES = Path(__file__).parent / "samples"
DF = json.loads((SAMPLES / "df-1.45.json").read_text())
IDENTITY = EngineIdentity("ENGINE", "26.1.5", "1.45", "/var/lib/docker")
FAILED = Answer(None, 5, "the engine did not answer in time")
DISK = DiskReading(path="/var/lib/docker", total_bytes=100, free_bytes=60, used_bytes=40, used_percent=40, device=1)
MACHINE = MachineFacts(
    disks=(DISK,),
    runner_roots=(),
    container_logs=(),
    runner_processes=(),
    competing_prunes=(),
    registry_logins=(),
    unmeasured={},
)
BUILDER = {
    "Id": "b" * 64,
    "Names": ["/buildx_buildkit_ci0"],
    "ImageID": "sha256:" + "a" * 64,
    "State": "running",
    "Labels": {},
    "Mounts": [{"Type": "volume", "Name": "buildx_buildkit_ci0_state", "Destination": "/var/lib/buildkit"}],
}
WORKERS, DU, HISTORIES = (f"buildkit/{'b' * 64}/{read}" for read in ("workers", "du", "histories"))
INSIDE: dict[str, Any] = {
    WORKERS: [{"gcPolicy": [], "buildkitVersion": {"version": "v0.32.0"}}],
    DU: [{"id": "r1", "size": 5, "inUse": False}, {"id": "r2", "size": 7, "inUse": False}],
    HISTORIES: [],
}


def answers(**changes: Any) -> dict[str, Answer]:
    """The answers of a small host; `changes` are other values, or whole answers."""
    values: dict[str, Any] = {
        "info": {"Driver": "overlay2", "Swarm": {"LocalNodeState": "inactive"}},
        "df": DF,
        "images": DF["Images"],
        "containers": DF["Containers"],
        "volumes": {"Volumes": DF["Volumes"]},
        "services": [],
        "events": {"events": [], "truncated": False},
    }
    return {
        name: value if isinstance(value, Answer) else Answer(value, 5) for name, value in (values | changes).items()
    }


def with_builder(**changes: Any) -> dict[str, Answer]:
    """The same host with one builder that runs."""
    df = DF | {"Containers": [*DF["Containers"], BUILDER]}
    return answers(**({"df": df, "containers": df["Containers"]} | INSIDE | changes))


def observed(found: dict[str, Answer]) -> RawObservation:
    return RawObservation(IDENTITY, found)


def test_a_whole_pass_leaves_nothing_unmeasured() -> None:
    inventory = assemble_inventory(observed(answers()))
    assert inventory.unmeasured == {}
    assert [volume.name for volume in inventory.volumes] == ["database", "empty", "old"]
    assert (len(inventory.images), len(inventory.containers), len(inventory.build_cache)) == (3, 3, 3)
    assert inventory.services == ()


@pytest.mark.req("H47")
def test_the_order_does_not_depend_on_the_order_of_the_answers() -> None:
    backwards = {name: entries[::-1] if isinstance(entries, list) else entries for name, entries in DF.items()}
    shuffled = answers(df=backwards, volumes={"Volumes": DF["Volumes"][::-1]})
    assert assemble_inventory(observed(shuffled)) == assemble_inventory(observed(answers()))


@pytest.mark.req("H4")
def test_without_the_disk_usage_everything_is_listed_and_nothing_has_a_sum() -> None:
    inventory = assemble_inventory(observed(answers(df=FAILED)))
    assert len(inventory.images) == 3
    assert len(inventory.containers) == 3
    assert inventory.summary.reclaimable_bytes is None
    assert inventory.layers_bytes is None
    assert all(container.size_rw_bytes is None for container in inventory.containers)
    assert inventory.unmeasured["docker_summary"] == FAILED.reason


@pytest.mark.parametrize("field", ["Images", "Containers", "Volumes"])
def test_what_the_disk_usage_lacks_is_listed_all_the_same(field: str) -> None:
    name = field.lower()
    inventory = assemble_inventory(observed(answers(df={key: value for key, value in DF.items() if key != field})))
    assert len(getattr(inventory, name)) == 3
    assert name not in inventory.unmeasured
    assert f"docker_summary.{name}" in inventory.unmeasured


@pytest.mark.req("H7")
@pytest.mark.parametrize("name", ["images", "containers", "volumes", "services"])
def test_a_list_that_could_not_be_read_is_unmeasured_with_its_reason(name: str) -> None:
    inventory = assemble_inventory(observed(answers(df=FAILED, **{name: FAILED})))
    assert inventory.unmeasured[name] == FAILED.reason


@pytest.mark.req("H7")
@pytest.mark.parametrize("volumes", [None, [], "x", {}, {"Warnings": None}, {"Volumes": "none"}, {"Volumes": [{}]}])
def test_a_list_of_volumes_that_is_none_is_unmeasured(volumes: object) -> None:
    assert "volumes" in assemble_inventory(observed(answers(volumes=volumes))).unmeasured


@pytest.mark.parametrize(
    ("warnings", "said"),
    [
        (["driver nfs\nis gone", "x" * 5000], "driver nfs⟨LF⟩is gone"),
        (["x" * 5000], "x" * 300),
        ([""], "no reason given"),
    ],
)
def test_a_list_of_volumes_that_the_engine_calls_incomplete_is_unmeasured(warnings: list[str], said: str) -> None:
    inventory = assemble_inventory(observed(answers(volumes={"Volumes": DF["Volumes"], "Warnings": warnings})))
    assert inventory.unmeasured["volumes"] == f"the engine could not list all volumes: {said}"
    assert len(inventory.volumes) == 3


@pytest.mark.parametrize("warnings", [None, []])
def test_a_list_of_volumes_without_warnings_is_whole(warnings: object) -> None:
    found = answers(volumes={"Volumes": DF["Volumes"], "Warnings": warnings})
    assert assemble_inventory(observed(found)).unmeasured == {}


def test_a_linked_containers_name_is_its_own() -> None:
    linked = DF["Containers"][0] | {"Id": "c" * 64, "Names": ["/other/alias", "/keepme"]}
    inventory = assemble_inventory(observed(answers(df=DF | {"Containers": [linked]}, containers=[linked])))
    assert [container.name for container in inventory.containers] == ["keepme"]


def test_a_volume_that_only_the_list_knows_has_no_size() -> None:
    plugin = {"Name": "plugin", "Driver": "nfs", "Mountpoint": "", "Labels": None}
    inventory = assemble_inventory(observed(answers(volumes={"Volumes": [*DF["Volumes"], plugin]})))
    assert [(volume.name, volume.size_bytes) for volume in inventory.volumes][3] == ("plugin", None)
    assert inventory.volumes[0].size_bytes == 7_000_000


@pytest.mark.parametrize("listed", [None, [], DF["Containers"][1:]])
def test_a_container_that_the_disk_usage_lacks_is_there_all_the_same(listed: object) -> None:
    inventory = assemble_inventory(observed(answers(df=DF | {"Containers": listed})))
    assert [container.id for container in inventory.containers] == sorted(raw["Id"] for raw in DF["Containers"])
    assert "containers" not in inventory.unmeasured


@pytest.mark.parametrize("listed", ["none", [{}], [*DF["Containers"], BUILDER | {"Mounts": 5}]])
def test_a_list_that_may_hide_a_container_from_the_disk_usage_leaves_them_unmeasured(listed: object) -> None:
    inventory = assemble_inventory(observed(answers(containers=listed)))
    assert inventory.unmeasured["containers"] == "1 entries cannot be used"
    assert len(inventory.containers) == 3


HOLDER = {"Image": "web:1", "Mounts": [{"Type": "volume", "Source": "data"}, {"Type": "volume"}, {"Type": "tmpfs"}]}


def a_service(holder: object) -> dict[str, object]:
    return {"ID": "s", "Spec": {"Name": "shop_web", "TaskTemplate": {"ContainerSpec": holder}}}


def test_a_service_names_its_image_and_its_volumes() -> None:
    (service,) = assemble_inventory(observed(answers(services=[a_service(HOLDER)]))).services or ()
    assert (service.image, service.volumes) == ("web:1", ("data",))
    (plugin,) = assemble_inventory(observed(answers(services=[a_service(None)]))).services or ()
    assert (plugin.image, plugin.volumes) == ("", ())


@pytest.mark.parametrize(
    "raw",
    [
        {"ID": "s"},
        {"ID": "s", "Spec": {}},
        {"ID": "s", "Spec": {"TaskTemplate": None}},
        a_service({"Mounts": []}),
        a_service(HOLDER | {"Mounts": 5}),
        a_service(HOLDER | {"Mounts": [{"Source": "data"}]}),
    ],
)
def test_a_service_that_does_not_say_what_it_uses_leaves_the_services_unmeasured(raw: object) -> None:
    assert assemble_inventory(observed(answers(services=[raw]))).unmeasured["services"] == "1 services cannot be used"


@pytest.mark.parametrize("field", ["Images", "Containers", "Volumes", "BuildCache"])
def test_a_name_that_comes_twice_is_kept_once_and_said(field: str) -> None:
    df = DF | {field: [*DF[field], DF[field][0] | {"State": "running", "RepoTags": [], "Labels": {}}]}
    name = {"BuildCache": "build_cache"}.get(field, field.lower())
    inventory = assemble_inventory(observed(answers(df=df)))
    assert len(getattr(inventory, name)) == 3
    assert inventory.unmeasured[name] == "1 entries have the name of another"


def test_a_builder_is_read_inside() -> None:
    inventory = assemble_inventory(observed(with_builder()))
    (builder,) = inventory.builders
    assert (builder.name, builder.state, builder.buildkit_version) == ("ci0", "running", "v0.32.0")
    assert builder.cache_bytes == 12
    assert [record.key for record in inventory.build_cache][:2] == ["ci0/r1", "ci0/r2"]


@pytest.mark.req("H7")
@pytest.mark.parametrize(
    "du", [FAILED, [{"id": "r1", "size": 5}, {"size": 7}], [{"id": "r1", "size": -1}], [{"id": "r1"}], "r1"]
)
def test_a_builders_cache_that_is_not_known_whole_has_no_size(du: object) -> None:
    (builder,) = assemble_inventory(observed(with_builder(**{DU: du}))).builders
    assert builder.cache_bytes is None


def readings(found: dict[str, Answer]) -> Any:
    return assemble_readings(observed(found), MACHINE)[0]


@pytest.mark.req("H15")
def test_a_build_that_runs_is_seen_with_its_builder() -> None:
    found = readings(with_builder(**{HISTORIES: [{"record": {"Ref": "r"}}]}))
    assert [(build.builder, build.ref) for build in found.running_builds] == [("ci0", "r")]


def test_a_builder_that_is_idle_runs_nothing() -> None:
    assert readings(with_builder()).running_builds == ()


@pytest.mark.req("H17")
@pytest.mark.parametrize(
    "changes",
    [
        {"containers": FAILED},
        {"containers": "none"},
        {"containers": [{"Names": ["/buildx_buildkit_ci0"]}]},
        {HISTORIES: FAILED},
    ],
    ids=["not listed", "no list", "without id", "silent"],
)
def test_a_builder_that_could_not_be_asked_is_not_idle(changes: dict[str, Any]) -> None:
    found = readings(with_builder(**changes))
    assert found.running_builds is None
    assert found.unmeasured["running_builds"]


@pytest.mark.req("H17")
def test_a_builder_that_was_not_asked_is_not_idle() -> None:
    found = with_builder()
    del found[HISTORIES]
    assert readings(found).running_builds is None


def test_a_stopped_builder_runs_nothing() -> None:
    stopped = BUILDER | {"State": "exited"}
    assert readings(answers(containers=[*DF["Containers"], stopped])).running_builds == ()


@pytest.mark.req("H8")
def test_a_disk_that_was_not_read_is_none_with_the_reports_own_name_for_it() -> None:
    machine = MACHINE.model_copy(update={"disks": (), "unmeasured": {"disk:/var/lib/docker": "permission denied"}})
    found, _ = assemble_readings(observed(answers()), machine)
    assert found.disk is None
    assert found.unmeasured == {"free_disk_bytes": "permission denied"}


def test_events_that_could_not_be_read_count_as_lost() -> None:
    found = readings(answers(events=FAILED))
    assert found.events_truncated is True
    assert found.unmeasured["events"] == FAILED.reason


@pytest.mark.parametrize(
    ("swarm", "expected"),
    [
        ({"LocalNodeState": "inactive"}, "inactive"),
        ({"LocalNodeState": "active", "ControlAvailable": True}, "manager"),
        ({"LocalNodeState": "active"}, "worker"),
        ({"LocalNodeState": "pending"}, "unknown"),
        (None, "unknown"),
        ("active", "unknown"),
    ],
)
def test_the_engines_place_in_a_swarm(swarm: object, expected: str) -> None:
    assert assemble_inventory(observed(answers(info={"Swarm": swarm}))).engine.swarm == expected


NAMES = ["info", "df", "images", "containers", "volumes", "services", "events", WORKERS, DU, HISTORIES]
forged = anything.map(lambda value: Answer(value, 1)) | st.just(FAILED)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, forged)))
def test_forged_answers_never_raise_and_what_they_give_can_be_stored(found: dict[str, Answer]) -> None:
    inventory = assemble_inventory(observed(found))
    reading, _ = assemble_readings(observed(found), MACHINE)
    assert canonical(inventory)
    assert canonical(reading)


@pytest.mark.req("H7")
@given(st.sampled_from(["images", "containers", "volumes", "services"]), st.sets(st.sampled_from(NAMES)))
def test_a_list_is_only_empty_where_an_answer_says_so(name: str, unanswered: set[str]) -> None:
    found = {each: FAILED if each in unanswered else answer for each, answer in with_builder().items()}
    inventory = assemble_inventory(observed(found))
    assert getattr(inventory, name) or name in inventory.unmeasured or name == "services"
    assert inventory.services is not None or "services" in inventory.unmeasured
