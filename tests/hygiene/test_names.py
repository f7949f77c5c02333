"""How people and services call an image, and which one they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.contracts import Mount, Service
from hygiene.names import ImageNames, is_called
from hygiene.users import find_users, in_words
from onhost.engine.image_names import local_names
from tests.factories import a_container, an_image, an_inventory

DIGEST = "sha256:" + "d" * 64


@pytest.mark.parametrize(
    ("ref", "names"),
    [
        ("web", ("web:latest",)),
        ("web:1", ("web:1",)),
        ("library/web:1", ("web:1",)),
        ("docker.io/library/web", ("web:latest",)),
        ("docker.io/shop/web:1", ("shop/web:1",)),
        ("ghcr.io/library/web:1", ("ghcr.io/library/web:1",)),
        ("registry:5000/web", ("registry:5000/web:latest",)),
        ("registry:5000/web:1", ("registry:5000/web:1",)),
        (f"web@{DIGEST}", (f"web@{DIGEST}",)),
        (f"docker.io/library/web:1@{DIGEST}", ("web:1", f"web@{DIGEST}")),
        (f"registry:5000/web@{DIGEST}", (f"registry:5000/web@{DIGEST}",)),
    ],
)
def test_a_reference_is_read_as_docker_reads_it(ref: str, names: tuple[str, ...]) -> None:
    assert local_names(ref) == names


@given(st.text(max_size=40))
def test_reading_a_reference_never_raises(ref: str) -> None:
    assert local_names(ref)
    assert ImageNames([an_image("web:1")]).find(ref) is None or "web" in ref


def test_a_required_image_answers_to_its_tag_and_its_digest() -> None:
    image = an_image("web:latest").model_copy(update={"digests": (f"web@{DIGEST}",)})
    assert is_called(image, "web")
    assert is_called(image, f"web@{DIGEST}")
    assert not is_called(image, "web:1")
    assert not is_called(an_image(), "")


def a_service(image: str, *volumes: str) -> Service:
    return Service(id="s1", name="shop_web", stack="shop", image=image, wanted=0, running=0, volumes=volumes)


@pytest.mark.req("H41")
@pytest.mark.parametrize(
    "named", ["web:1", f"web:1@{DIGEST}", f"docker.io/library/web:1@{DIGEST}", f"web:gone@{DIGEST}", f"web@{DIGEST}"]
)
def test_a_service_without_containers_uses_the_image_that_it_names(named: str) -> None:
    image = an_image("web:1").model_copy(update={"digests": (f"web@{DIGEST}",)})
    inventory = an_inventory([image]).model_copy(update={"services": (a_service(named),)})
    assert find_users(inventory).image_users(image) == ["service shop_web"]


@pytest.mark.req("H41")
def test_a_service_that_names_no_tag_uses_latest() -> None:
    image = an_image("web:latest")
    inventory = an_inventory([image]).model_copy(update={"services": (a_service("web"),)})
    assert find_users(inventory).image_users(image) == ["service shop_web"]


@pytest.mark.req("H41")
def test_a_container_uses_its_image_whether_it_runs_or_not() -> None:
    image = an_image()
    inventory = an_inventory([image], containers=[a_container("web", image), a_container("old", image, state="exited")])
    assert find_users(inventory).image_users(image) == ["container web", "container old (exited)"]


@pytest.mark.req("H42")
def test_a_service_uses_its_volumes() -> None:
    inventory = an_inventory().model_copy(update={"services": (a_service("web:1", "data"),)})
    assert find_users(inventory).volume_users("data") == ["service shop_web"]
    assert find_users(inventory).volume_users("other") == []


def test_a_container_that_mounts_a_volume_twice_is_one_user() -> None:
    mounts = [Mount(kind="volume", source="data", destination=place) for place in ("/a", "/b")]
    inventory = an_inventory(containers=[a_container("web", an_image(), mounts=mounts)])
    assert find_users(inventory).volume_users("data") == ["container web"]


def test_a_folder_that_is_mounted_uses_no_volume() -> None:
    mounts = [Mount(kind="bind", source="data", destination="/a")]
    inventory = an_inventory(containers=[a_container("web", an_image(), mounts=mounts)])
    assert find_users(inventory).volume_users("data") == []


def test_users_in_words_are_three_and_how_many_more() -> None:
    assert in_words(["a", "b", "c"]) == "a, b, c"
    assert in_words(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
