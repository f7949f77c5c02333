"""`/system/df` in the shapes of API 1.41 to 1.52, whole, with holes, and forged."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.contracts import DockerSummary, TypeSummary
from hygiene.parse.df import LEGACY, USAGE, DiskUsage, parse_df
from hygiene.parse.items import cache_record
from hygiene.parse.sizes import parse_df_lines, parse_size
from launchplane.canonical import canonical
from tests.client import human_size
from tests.hygiene.raw import anything, objects

SAMPLES = Path(__file__).parent / "samples"
LISTED = ["df-1.45", "df-1.48", "df-1.51"]
USAGES = ["df-1.52", "df-1.52-with-legacy"]
TYPES = ["images", "containers", "volumes", "build_cache"]


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def line(count: int, active: int, size_bytes: int | None, reclaimable_bytes: int | None) -> TypeSummary:
    return TypeSummary(count=count, active=active, size_bytes=size_bytes, reclaimable_bytes=reclaimable_bytes)


ALL_BUT_IMAGES = {
    "containers": line(3, 1, 100_000, 60_000),
    "volumes": line(3, 1, 9_000_000, 2_000_000),
    "build_cache": line(3, 1, 750_000, 500_000),
}


@pytest.mark.req("H3")
def test_the_recorded_answer_gives_what_its_own_client_printed() -> None:
    found = parse_df(sample("df-1.41")).summary
    printed = parse_df_lines((SAMPLES / "df-1.41.txt").read_text())
    for name in TYPES:
        ours, theirs = getattr(found, name), getattr(printed, name)
        assert (ours.count, ours.active) == (theirs.count, theirs.active)
        assert parse_size(human_size(ours.size_bytes)) == theirs.size_bytes
        assert parse_size(human_size(ours.reclaimable_bytes)) == theirs.reclaimable_bytes


@pytest.mark.req("H3")
@pytest.mark.req("X8")
@pytest.mark.parametrize("name", LISTED)
def test_up_to_1_51_images_are_counted_as_clients_up_to_28_do(name: str) -> None:
    usage = parse_df(sample(name))
    assert usage.summary == DockerSummary(images=line(3, 1, 8_000_000, 6_000_000), **ALL_BUT_IMAGES)
    assert usage.layers_bytes == 8_000_000
    assert usage.reasons == {}


@pytest.mark.req("H3")
@pytest.mark.req("X8")
@pytest.mark.parametrize("name", [*USAGES, "df-1.52-not-verbose"])
def test_from_1_52_on_the_engines_own_figures_count(name: str) -> None:
    usage = parse_df(sample(name))
    assert usage.summary == DockerSummary(images=line(3, 1, 8_000_000, 3_000_000), **ALL_BUT_IMAGES)
    assert usage.layers_bytes == 8_000_000


@pytest.mark.parametrize("name", [*LISTED, *USAGES])
def test_every_shape_has_the_same_items(name: str) -> None:
    found, expected = parse_df(sample(name)), parse_df(sample("df-1.45"))
    assert found.images == expected.images
    assert found.containers == expected.containers
    assert found.build_cache == expected.build_cache
    assert [volume.name for volume in found.volumes or ()] == ["database", "old", "empty"]


def test_an_engine_that_leaves_every_zero_out_holds_nothing() -> None:
    usage = parse_df(sample("df-1.52-empty"))
    nothing = line(0, 0, 0, 0)
    assert usage.summary == DockerSummary(images=nothing, containers=nothing, volumes=nothing, build_cache=nothing)
    assert (usage.images, usage.containers, usage.volumes, usage.build_cache) == ([], [], [], [])
    assert usage.reasons == {}


@pytest.mark.req("H7")
def test_figures_without_items_leave_the_lists_unknown_with_a_reason() -> None:
    usage = parse_df(sample("df-1.52-not-verbose"))
    assert (usage.images, usage.containers, usage.volumes, usage.build_cache) == (None, None, None, None)
    assert usage.reasons.keys() == set(TYPES)


def test_null_is_an_empty_list_as_go_writes_it() -> None:
    usage = parse_df(dict.fromkeys(LEGACY.values()) | {"LayersSize": 0})
    assert usage.summary.reclaimable_bytes == 0
    assert usage.images == []


def test_items_stand_for_themselves_where_the_legacy_field_is_null() -> None:
    usage = parse_df(sample("df-1.52") | {"Images": None, "Volumes": []})
    assert len(usage.images or ()) == 3
    assert len(usage.volumes or ()) == 3


@pytest.mark.req("H4")
@pytest.mark.parametrize("name", TYPES)
def test_a_missing_field_leaves_its_type_and_the_sum_unknown(name: str) -> None:
    document = sample("df-1.45")
    del document[LEGACY[name]]
    usage = parse_df(document)
    assert getattr(usage.summary, name) is None
    assert usage.summary.reclaimable_bytes is None
    assert name in usage.reasons


@pytest.mark.req("H4")
@pytest.mark.parametrize("count", [-1, "3", None, 2**60, 3])
def test_a_usage_object_without_items_whose_count_is_not_zero_is_no_empty_list(count: object) -> None:
    usage = parse_df({"ImageUsage": {"TotalCount": count}})
    assert usage.images is None
    assert "images" in usage.reasons


@pytest.mark.req("H4")
@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_list_that_is_shorter_than_its_count_is_partial(name: str, kept: int) -> None:
    document = sample("df-1.52")
    document[USAGE[name]]["Items"] = document[USAGE[name]]["Items"][:kept]
    usage = parse_df(document)
    assert len(getattr(usage, name)) == kept
    assert usage.reasons.keys() == {name}
    assert f"lists {kept} " in usage.reasons[name]


@pytest.mark.req("H4")
@pytest.mark.parametrize("count", [2, 4, "3", None, -1])
def test_a_list_whose_count_says_otherwise_is_partial(count: object) -> None:
    document = sample("df-1.52-with-legacy")
    document["ContainerUsage"]["TotalCount"] = count
    assert "containers" in parse_df(document).reasons


@pytest.mark.req("H4")
@pytest.mark.parametrize(
    ("name", "field"),
    [
        *(("Images", field) for field in ("RepoTags", "RepoDigests", "Labels")),
        *(("Containers", field) for field in ("Names", "ImageID", "Mounts", "Labels")),
        ("Volumes", "Labels"),
    ],
)
@pytest.mark.parametrize("as_what", ["missing", "forged"])
def test_an_entry_that_does_not_say_what_decides_on_it_cannot_be_used(name: str, field: str, as_what: str) -> None:
    document = sample("df-1.45")
    if as_what == "missing":
        del document[name][0][field]
    else:
        document[name][0][field] = 5
    usage = parse_df(document)
    assert len(getattr(usage, name.lower())) == 2
    assert usage.reasons[name.lower()] == "1 of 3 entries of the engine's disk usage cannot be used"


@pytest.mark.parametrize("empty", [None, []])
def test_null_and_an_empty_list_say_that_there_is_none(empty: object) -> None:
    document = sample("df-1.45")
    document["Images"][0] |= {"RepoTags": empty, "RepoDigests": empty, "Labels": None}
    document["Containers"][0] |= {"Names": empty, "Mounts": empty, "Labels": None, "ImageID": ""}
    assert parse_df(document).reasons == {}


@pytest.mark.req("H4")
@pytest.mark.parametrize("mount", [5, {}, {"Type": "volume"}, {"Type": None}, {"Type": "volume", "Name": None}])
def test_a_container_with_a_mount_that_names_nothing_cannot_be_used(mount: object) -> None:
    document = sample("df-1.45")
    document["Containers"][0]["Mounts"] = [mount]
    assert "containers" in parse_df(document).reasons


@pytest.mark.req("H4")
@pytest.mark.parametrize("forged", [3, "none", {}, {"Id": "sha256:a"}, False])
def test_a_list_that_is_none_is_unknown_and_not_empty(forged: object) -> None:
    assert parse_df({"Images": forged}).images is None
    assert parse_df({"ImageUsage": {"Items": forged}}).images is None


@pytest.mark.req("H4")
def test_layers_of_unknown_size_leave_the_images_unknown() -> None:
    document = sample("df-1.45")
    del document["LayersSize"]
    usage = parse_df(document)
    assert usage.summary.images == line(3, 1, None, None)
    assert "docker_summary.images" in usage.reasons


@pytest.mark.req("H4")
def test_a_volume_of_unknown_size_leaves_the_sums_unknown() -> None:
    document = sample("df-1.45")
    document["Volumes"][1]["UsageData"]["Size"] = -1
    assert parse_df(document).summary.volumes == line(3, 1, None, None)


@pytest.mark.req("H4")
def test_a_volume_with_an_unknown_count_of_references_is_not_called_reclaimable() -> None:
    document = sample("df-1.45")
    document["Volumes"][1]["UsageData"]["RefCount"] = -1
    assert parse_df(document).summary.volumes == line(3, 1, 9_000_000, None)


@pytest.mark.req("H4")
def test_figures_that_contradict_each_other_are_unknown_and_never_negative() -> None:
    images = parse_df(sample("df-1.45") | {"LayersSize": 1}).summary.images
    assert images == line(3, 1, 1, None)


@pytest.mark.req("H4")
def test_a_sum_that_no_canonical_number_can_hold_is_unknown() -> None:
    document = sample("df-1.45")
    for container in document["Containers"]:
        container["SizeRw"] = 2**53 - 1
    usage = parse_df(document)
    assert usage.summary.containers == line(3, 1, None, None)
    assert canonical(usage.summary)


@pytest.mark.req("H46")
def test_a_size_of_minus_one_is_null() -> None:
    document = sample("df-1.45")
    document["Images"][0] |= {"SharedSize": -1, "Size": -1}
    image = (parse_df(document).images or [])[0]
    assert (image.size_bytes, image.shared_bytes, image.unique_bytes) == (None, None, None)


@pytest.mark.parametrize(
    "entry",
    [7, "image", [1, 2], None, {}, {"Id": ""}, {"Id": 5}, {"Id": "x" * 256}],
    ids=lambda entry: repr(entry)[:20],
)
def test_an_entry_that_cannot_be_named_is_counted_and_the_others_are_kept(entry: object) -> None:
    document = sample("df-1.45")
    document["Images"].append(entry)
    usage = parse_df(document)
    assert len(usage.images or ()) == 3
    assert usage.reasons["images"].startswith("1 of 4 entries")


def test_names_from_hell_are_kept_as_text_that_can_be_stored() -> None:
    document = sample("df-1.45")
    document["Volumes"][1]["Name"] = "new\nline\x1b[31m\0\ud800"
    document["Images"][0] |= {"RepoTags": ["a\nb:c"], "Labels": {"k": "v" * 4096, "\ud800": "\0"}}
    usage = parse_df(document)
    assert (usage.volumes or [])[1].name == "new\nline\x1b[31m\N{REPLACEMENT CHARACTER}?"
    assert (usage.images or [])[0].tags == ("a\nb:c",)
    assert (usage.images or [])[0].labels == {"k": "v" * 4096, "?": "\N{REPLACEMENT CHARACTER}"}


FIGURES = [
    *(("Images", at, (field,)) for at in range(3) for field in ("Size", "SharedSize")),
    *(("Containers", at, ("SizeRw",)) for at in range(3)),
    *(("Volumes", at, ("UsageData", field)) for at in range(3) for field in ("Size", "RefCount")),
    *(("BuildCache", at, ("Size",)) for at in range(3)),
]
NOT_MEASURED: st.SearchStrategy[Any] = st.sampled_from([-1, None, "5", 1.5, True, 2**60, [], {}])


@pytest.mark.req("H4")
@given(st.sampled_from(FIGURES), NOT_MEASURED)
def test_one_figure_that_is_not_measured_never_makes_another_number_of_a_sum(
    where: tuple[str, int, tuple[str, ...]], value: object
) -> None:
    document = sample("df-1.45")
    entry = document[where[0]][where[1]]
    for field in where[2][:-1]:
        entry = entry[field]
    entry[where[2][-1]] = value
    assert_same_or_unknown(parse_df(document), parse_df(sample("df-1.45")))


@pytest.mark.req("H4")
@given(st.sampled_from(list(USAGE.values())), st.sampled_from(["TotalSize", "Reclaimable", "TotalCount"]), NOT_MEASURED)
def test_a_stated_figure_that_is_not_measured_is_unknown(usage: str, field: str, value: object) -> None:
    document = sample("df-1.52-not-verbose")
    document[usage][field] = value
    assert_same_or_unknown(parse_df(document), parse_df(sample("df-1.52-not-verbose")))


def assert_same_or_unknown(found: DiskUsage, whole: DiskUsage) -> None:
    for name in TYPES:
        ours, original = getattr(found.summary, name), getattr(whole.summary, name)
        if ours is not None:
            assert ours.size_bytes in (original.size_bytes, None)
            assert ours.reclaimable_bytes in (original.reclaimable_bytes, None)


image = objects("Id", "RepoTags", "RepoDigests", "Created", "Size", "SharedSize", "Labels", "Containers")
container = objects("Id", "Names", "Image", "ImageID", "State", "SizeRw", "Labels", "Mounts")
volume = objects("Name", "Driver", "Mountpoint", "CreatedAt", "Labels", inner=anything | objects("Size", "RefCount"))
record = objects("ID", "Parent", "Parents", "Type", "InUse", "Shared", "Size", "CreatedAt", "LastUsedAt", "UsageCount")


def usage_of(item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return anything | st.fixed_dictionaries(
        {},
        optional={"Items": lists_of(item)}
        | dict.fromkeys(("TotalCount", "ActiveCount", "TotalSize", "Reclaimable"), anything),
    )


def lists_of(item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return anything | st.lists(item, max_size=3)


KINDS = {"Images": image, "Containers": container, "Volumes": volume, "BuildCache": record}
documents = st.fixed_dictionaries(
    {},
    optional={"LayersSize": anything}
    | {name: lists_of(item) for name, item in KINDS.items()}
    | {USAGE[name]: usage_of(KINDS[LEGACY[name]]) for name in TYPES},
)


@given(anything | documents)
def test_a_forged_answer_never_raises_and_what_it_gives_can_be_stored(document: object) -> None:
    before = deepcopy(document)
    usage = parse_df(document)
    assert document == before
    assert canonical(usage.summary)
    for name in TYPES:
        if getattr(usage, name) is None:
            assert name in usage.reasons
        for item in getattr(usage, name) or ():
            assert canonical(item)


@pytest.mark.req("H4")
@given(anything | st.fixed_dictionaries({}, optional={name: anything for name in KINDS if name != "Volumes"}))
def test_an_answer_without_volumes_never_has_a_sum(document: object) -> None:
    assert parse_df(document).summary.reclaimable_bytes is None


def test_of_several_parents_of_a_cache_record_none_is_taken_for_the_one() -> None:
    raw = {"ID": "r3", "Parents": ["r1", "r2"], "Type": "regular", "Size": 1, "InUse": False, "Shared": True}
    assert cache_record(raw).parent not in ("r1", "r2", "")
    assert cache_record(raw | {"Parents": ["r1"]}).parent == "r1"
    assert cache_record(raw | {"Parents": None, "Parent": "r0"}).parent == "r0"
