"""A buildx builder is a node, its container and its state volume, told by name and mount."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.contracts import Builder, Container, Mount, Volume
from hygiene.parse.builders import answers_to, is_builder, pair
from hygiene.parse.buildkit import Worker
from tests.factories import a_container, a_volume, an_image

IMAGE = an_image("moby/buildkit:buildx-stable-1")


def a_builder_container(node: str, *, state: str = "running", volume: str | None = "") -> Container:
    """A container as buildx makes it; `volume` is None for a state that lies in a folder of the host."""
    name = f"buildx_buildkit_{node}"
    mount = Mount(
        kind="volume" if volume is not None else "bind",
        source=volume or f"{name}_state",
        destination="/var/lib/buildkit",
    )
    return a_container(name, IMAGE, state=state, mounts=[mount])


def state_of(node: str) -> Volume:
    return a_volume(f"buildx_buildkit_{node}_state", size=5)


def table(containers: list[Container], volumes: list[Volume]) -> list[tuple[str, str, bool, str | None]]:
    """Name, state, whether there is a container, and the volume of each builder."""
    found = pair(containers, volumes, {}, {})
    return [(builder.name, builder.state, builder.container_id is not None, builder.volume) for builder in found]


PAIRS = {
    "warm": ([a_builder_container("ci0")], [state_of("ci0")], [("ci0", "running", True, "buildx_buildkit_ci0_state")]),
    "stopped": (
        [a_builder_container("ci0", state="exited")],
        [state_of("ci0")],
        [("ci0", "stopped", True, "buildx_buildkit_ci0_state")],
    ),
    "orphan": ([], [state_of("ci0")], [("ci0", "orphan", False, "buildx_buildkit_ci0_state")]),
    "two nodes of one builder": (
        [a_builder_container("ci1"), a_builder_container("ci0")],
        [state_of("ci0"), state_of("ci1")],
        [
            ("ci0", "running", True, "buildx_buildkit_ci0_state"),
            ("ci1", "running", True, "buildx_buildkit_ci1_state"),
        ],
    ),
    "state in a folder": ([a_builder_container("ci0", volume=None)], [], [("ci0", "running", True, None)]),
    "state in a volume of another name": (
        [a_builder_container("ci0", volume="cache")],
        [a_volume("cache"), state_of("ci0")],
        [("ci0", "running", True, "cache")],
    ),
    "volume that is gone": ([a_builder_container("ci0")], [], [("ci0", "running", True, "buildx_buildkit_ci0_state")]),
    "no builder at all": ([a_container("web", IMAGE)], [a_volume("data"), a_volume("buildx_buildkit__state")], []),
}


@pytest.mark.parametrize("case", PAIRS)
def test_containers_and_state_volumes_are_paired_to_builders(case: str) -> None:
    containers, volumes, expected = PAIRS[case]
    assert table(containers, volumes) == expected


def test_a_container_with_a_builders_name_but_without_its_state_is_no_builder() -> None:
    assert not is_builder(a_container("buildx_buildkit_ci0", IMAGE))


def test_a_builder_has_what_its_worker_says() -> None:
    container = a_builder_container("ci0")
    (builder,) = pair([container], [state_of("ci0")], {container.id: Worker("v0.32.0", ())}, {container.id: 7})
    assert (builder.buildkit_version, builder.gc_policy, builder.cache_bytes) == ("v0.32.0", (), 7)


def test_an_orphan_holds_as_much_as_its_volume() -> None:
    (builder,) = pair([], [state_of("ci0")], {}, {})
    assert builder.cache_bytes == 5


@pytest.mark.parametrize(
    ("node", "wanted", "answers"),
    [
        ("ci0", "ci0", True),
        ("ci0", "ci", True),
        ("ci12", "ci", True),
        ("ci", "ci", True),
        ("ci-two0", "ci", False),
        ("ci0", "c", False),
        ("other0", "ci", False),
        ("ci0x", "ci", False),
    ],
)
def test_a_node_answers_to_its_name_and_to_its_builders(node: str, wanted: str, answers: bool) -> None:
    assert answers_to(node, wanted) is answers


names = st.sampled_from(["ci0", "ci1", "x"])
containers = st.lists(
    st.builds(
        a_builder_container,
        names,
        state=st.sampled_from(["running", "exited"]),
        volume=st.sampled_from([None, "", "cache", "buildx_buildkit_x_state"]),
    ),
    max_size=3,
    unique_by=lambda container: container.name,
)
volumes = st.lists(st.builds(state_of, names), max_size=3, unique_by=lambda volume: volume.name)


@given(containers, volumes)
def test_every_node_has_one_trace_and_every_state_volume_is_of_some_node(
    containers: list[Container], volumes: list[Volume]
) -> None:
    found: list[Builder] = pair(containers, volumes, {}, {})
    assert len({builder.name for builder in found}) == len(found)
    assert {container.id for container in containers} == {b.container_id for b in found if b.container_id}
