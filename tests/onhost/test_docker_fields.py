"""What launchplane-docker takes for an id, a name, a number and a time; no engine gets to see anything else."""

from typing import Any

import pytest

from onhost import docker
from onhost.docker_call import Call
from onhost.refusals import BadRequest, Refusal
from tests.onhost.calls import a_call
from tests.onhost.test_docker import BOUNDS, GOOD, ID, IMAGE, MADE_AT, READS

BAD_TEXTS: list[Any] = [
    "",
    "\n",
    "a\n",
    "a b",
    "../x",
    "a/../b",
    "a//b",
    "/",
    "a/",
    "%n",
    "%2e%2e",
    "a?force=1",
    "a#b",
    "x" * 600,
    "-f",
    "ä",
    "a\0",
    7,
    None,
    {},
]
NAMED = [
    ("remove_image", "id"),
    ("remove_image", "tags"),
    ("remove_image", "digests"),
    ("remove_container", "id"),
    ("remove_container", "name"),
    ("remove_container", "image_id"),
    ("remove_container", "seen_at"),
    ("remove_volume", "name"),
    ("remove_volume", "driver"),
    ("remove_volume", "created_at"),
    ("prune_builder", "container_id"),
]


def refused(verb: str, call: Call) -> str:
    """The code with which it is refused; there is no engine at the socket."""
    with pytest.raises(Refusal) as refusal:
        docker.VERBS[verb].act(call)
    return refusal.value.code


@pytest.mark.parametrize("verb", GOOD)
def test_what_is_good_gets_as_far_as_the_engine(verb: str) -> None:
    assert refused(verb, a_call(GOOD[verb])) == "no_socket"


@pytest.mark.parametrize("text", BAD_TEXTS, ids=repr)
@pytest.mark.parametrize(("verb", "field"), NAMED)
def test_no_text_that_could_mean_another_path(verb: str, field: str, text: object) -> None:
    told = [text] if field in ("tags", "digests") else text
    assert refused(verb, a_call(GOOD[verb] | {field: told})) == "fields"


@pytest.mark.parametrize("name", ["app:1", "registry.example:5000/team/app__x:v1.2", f"app@sha256:{'d' * 64}", "a/b-c"])
def test_the_names_that_images_have_are_taken(name: str) -> None:
    assert refused("remove_image", a_call(IMAGE | {"tags": [name]})) == "no_socket"


@pytest.mark.parametrize("number", [-1, True, "7", 1.5, None, 1 << 63, []], ids=repr)
def test_no_bound_but_a_whole_number(number: object) -> None:
    for field in ("min_age_seconds", "keep_bytes"):
        assert refused("prune_build_cache", a_call(BOUNDS | {field: number})) == "fields"
    assert refused("remove_image", a_call(IMAGE | {"size_bytes": number})) == "fields"


@pytest.mark.parametrize("told", ["", "yesterday", "2026-11-20", "2026-11-20T12:00:00", 7, [], "2026-13-40T99:00:00Z"])
def test_no_time_but_one_of_rfc_3339(told: object) -> None:
    assert refused("observe", a_call(READS["observe"] | {"since": told})) == "fields"
    assert refused("observe", a_call(READS["observe"] | {"until": told})) == "fields"


@pytest.mark.parametrize("told", [MADE_AT, "2026-11-20T12:00:00.123456789Z", "2026-11-20T12:00:00.5+01:00"])
def test_the_times_that_engines_and_the_control_plane_write_are_taken(told: str) -> None:
    assert refused("observe", a_call(READS["observe"] | {"since": told})) == "no_socket"


@pytest.mark.parametrize("ids", [b"x", b"../x\n", b"sha256:\n", ID.encode(), f"{ID}\n\n".encode(), b"\xff\n"])
def test_no_layers_of_anything_but_images(ids: bytes) -> None:
    with pytest.raises(BadRequest):
        docker.VERBS["layers"].act(a_call({}, body=ids))


@pytest.mark.parametrize("seconds", [0, -1, 301, "30", None, 1.5, True])
def test_no_reading_of_the_machine_without_an_end(seconds: object) -> None:
    assert refused("machine", a_call(READS["machine"] | {"seconds": seconds})) == "fields"
