"""What leaves a host: the listed fields and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchplane.hosts.errors import CallFailed
from launchplane.words import clean_message
from onhost.engine.allowed import ANSWERS, BUILDER_ANSWERS, IMAGE_HISTORY
from onhost.engine.calls import decoded, decoded_stream
from onhost.engine.reduce import fields, flag, list_of, map_of, number, text

SECRET = "hunter2-canary"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


@pytest.mark.parametrize(
    ("answer", "given_by_engine"),
    [
        ("containers", [{"Id": "a", "Command": SECRET, "Env": [SECRET], "HostConfig": {"x": SECRET}}]),
        ("containers", [{"Mounts": [{"Type": "volume", "Name": "v", "Options": SECRET, "Consistency": SECRET}]}]),
        ("images", [{"Id": "a", "Comment": SECRET, "Config": {"Env": [SECRET]}}]),
        ("volumes", {"Volumes": [{"Name": "v", "Options": {"o": f"password={SECRET}"}, "Status": {"x": SECRET}}]}),
        ("df", {"BuildCache": [{"ID": "a", "Description": SECRET}], "Containers": [{"Command": SECRET}]}),
        ("df", {"BuildCacheUsage": {"TotalCount": 1, "Items": [{"ID": "a", "Description": SECRET}]}}),
        ("info", {"ID": "a", "HttpProxy": SECRET, "Labels": [SECRET], "Swarm": {"Cluster": {"CA": SECRET}}}),
        ("services", [{"Spec": {"Labels": {"x": SECRET}, "TaskTemplate": {"ContainerSpec": {"Env": [SECRET]}}}}]),
        ("events", [{"Action": f"exec_create: sh -c {SECRET}", "status": f"exec_create: sh -c {SECRET}"}]),
        ("events", [{"Actor": {"ID": "a", "Attributes": {"execID": "b", "my.label": SECRET, "name": "n"}}}]),
    ],
)
def test_commands_environments_and_free_text_do_not_get_through(answer: str, given_by_engine: object) -> None:
    assert SECRET not in list(texts(ANSWERS[answer](given_by_engine, answer)))
    assert SECRET not in repr(ANSWERS[answer](given_by_engine, answer))


def test_of_an_images_history_only_sizes_get_through() -> None:
    history = [{"Id": "a", "CreatedBy": f"RUN echo {SECRET}", "Comment": SECRET, "Size": 7, "Tags": [SECRET]}]

    assert IMAGE_HISTORY(history, "history") == [{"Size": 7}]


def test_names_of_a_volumes_options_stay_without_their_values() -> None:
    volumes = {"Volumes": [{"Name": "v", "Options": {"type": "cifs", "o": "password=x"}}]}

    assert ANSWERS["volumes"](volumes, "volumes") == {"Volumes": [{"Name": "v", "Options": {"type": None, "o": None}}]}


def test_what_an_engine_warns_of_a_list_of_volumes_stays() -> None:
    volumes = {"Volumes": None, "Warnings": ["error while list volumes from driver"]}

    assert ANSWERS["volumes"](volumes, "volumes") == volumes


def test_listed_fields_keep_their_names_and_absent_ones_stay_absent() -> None:
    image = {"Id": "sha256:a", "RepoTags": None, "Size": -1, "Labels": {"a": "b"}, "Extra": 1}

    assert ANSWERS["images"]([image], "images") == [
        {"Id": "sha256:a", "RepoTags": None, "Size": -1, "Labels": {"a": "b"}}
    ]


def test_a_global_service_is_still_told_from_a_replicated_one() -> None:
    services = [{"Spec": {"Mode": {"Global": {}}}}, {"Spec": {"Mode": {"Replicated": {"Replicas": 0}}}}]

    assert ANSWERS["services"](services, "services") == services


def test_an_event_keeps_what_happened_to_what() -> None:
    event = {
        "Type": "container",
        "Action": "exec_die",
        "Actor": {"ID": "c", "Attributes": {"image": "i", "execID": "x"}},
        "time": 5,
    }

    assert ANSWERS["events"]([event], "events")[0]["Actor"] == {"ID": "c", "Attributes": {"image": "i"}}


@pytest.mark.parametrize("answer", [*ANSWERS.values(), *BUILDER_ANSWERS.values()])
@given(value=JSON)
def test_any_json_is_reduced_or_refused_with_where_and_why(answer: Any, value: object) -> None:
    try:
        answer(value, "answer")
    except CallFailed as problem:
        assert problem.sentence.startswith("The engine's answer has an unexpected shape: answer")


@given(JSON)
def test_what_gets_through_can_be_stored(value: object) -> None:
    try:
        reduced = map_of(text)(value, "x")
    except CallFailed:
        return
    for found in texts(reduced):
        assert "\0" not in found
        assert found.encode().decode() == found


@pytest.mark.parametrize(
    ("reduce", "value"),
    [
        (number, 1.5),
        (number, True),
        (number, "1"),
        (number, 2**63),
        (number, -(2**63)),
        (flag, 1),
        (text, 5),
        (text, ["a"]),
        (list_of(text), "ab"),
        (list_of(text), [None]),
        (fields(A=text), [1]),
        (map_of(text), ["a"]),
    ],
)
def test_a_wrong_type_is_refused(reduce: Any, value: object) -> None:
    with pytest.raises(CallFailed, match="unexpected shape"):
        reduce(value, "x")


@given(st.text())
def test_a_message_from_outside_becomes_one_short_printable_line(message: str) -> None:
    assert clean_message(message).isprintable()
    assert len(clean_message(message)) <= 300


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        (decoded, b"[" + b"{}," * 1_000_001 + b"{}]"),
        (decoded, b"[" + b"0," * 2_000_001 + b"0]"),
        (decoded_stream, b"[]" * 2_000_001),
        (decoded_stream, b"1 " * 200_001),
    ],
)
def test_a_small_text_that_is_gigabytes_once_decoded_is_not_decoded(decode: Any, body: bytes) -> None:
    with pytest.raises(CallFailed) as caught:
        decode(body)

    assert caught.value.code == "answer_too_large"
