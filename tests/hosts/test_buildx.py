"""What buildx's names tell, and which of a container's names is its own."""

import pytest

from onhost.engine.buildx import container_name, is_builder


@pytest.mark.parametrize(
    ("names", "own"),
    [
        (["/keepme"], "keepme"),
        (["/other/alias", "/keepme"], "keepme"),
        (["/keepme", "/other/alias"], "keepme"),
        (["/other/alias"], "other/alias"),
        (["keepme"], "keepme"),
        ([], ""),
        (None, ""),
        ("/keepme", ""),
        ([5, "/keepme"], "keepme"),
    ],
)
def test_a_containers_own_name_is_the_one_that_dockers_client_shows(names: object, own: str) -> None:
    assert container_name(names) == own


@pytest.mark.parametrize(
    ("name", "mounted_at", "builder"),
    [
        ("buildx_buildkit_ci0", ["/data", "/var/lib/buildkit"], True),
        ("buildx_buildkit_ci0", ["/var/lib/buildkit/cache"], False),
        ("my_buildx_buildkit_ci0", ["/var/lib/buildkit"], False),
    ],
)
def test_a_builder_has_a_builders_name_and_its_state(name: str, mounted_at: list[str], builder: bool) -> None:
    assert is_builder(name, mounted_at) is builder
