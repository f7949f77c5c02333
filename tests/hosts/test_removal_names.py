"""Images by their names: in which order they go, and what is said of a name that somebody moves meanwhile."""

import pytest

from launchplane.hosts import boundary
from launchplane.hosts.local_removals import LocalRemover
from onhost.engine.removal_checks import image_differs, removal_order
from onhost.engine.removals import ExpectedImage, Removal
from tests.faults import Behaviour, EngineSocket, once, plain_engine, says

ID, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
DIGEST = f"sha256:{'d' * 64}"
THREE = ExpectedImage(ID, ("app:1", "app:2", "app:3"), 10)


def there(*tags: str) -> Behaviour:
    return says({"Id": ID, "RepoTags": list(tags), "Size": 10})


def removed(expected: ExpectedImage, behaviours: dict[str, Behaviour]) -> tuple[Removal, list[str]]:
    """The removal of an image that is there as it was approved, and what the engine was asked to delete."""
    everything = {
        f"/images/{ID}/json": there(*expected.tags),
        "/containers/json": says([]),
        "/info": plain_engine()["/info"],
    } | {f"/images/{tag}/json": there(*expected.tags) for tag in expected.tags}
    with EngineSocket(everything | behaviours) as engine:
        door = LocalRemover(engine.url, api_version="1.41", engine_id="PLAIN:ENGINE")
        with boundary.within(boundary.Allowance({"remove_image": 1}, lambda: True)):
            removal = door.remove_image(expected)
    return removal, [request.path for request in engine.requests if request.method == "DELETE"]


@pytest.mark.parametrize(
    ("tags", "digests", "order"),
    [
        ((), (), (ID,)),
        (("app:1",), (), (ID,)),
        (("app:1",), (f"app@{DIGEST}",), (ID,)),
        (("host:5000/app:1",), (f"host:5000/app@{DIGEST}",), (ID,)),
        (("app:2", "app:1"), (), ("app:1", ID)),
        (("app:1", "b/app:1"), (f"app@{DIGEST}", f"b/app@{DIGEST}"), ("app:1", ID)),
        ((), (f"app@{DIGEST}",), (ID,)),
        ((), (f"app@{DIGEST}", f"b/app@{DIGEST}"), (f"app@{DIGEST}", ID)),
        (("app:1",), (f"b/app@{DIGEST}",), (f"b/app@{DIGEST}", ID)),
    ],
)
def test_an_image_goes_by_its_id_after_the_names_that_would_bar_that(
    tags: tuple[str, ...], digests: tuple[str, ...], order: tuple[str, ...]
) -> None:
    assert removal_order(ExpectedImage(ID, tags, 10, digests)) == order


@pytest.mark.req("X1")
@pytest.mark.parametrize("now", [says({"Id": OTHER}), says({"message": "No such image"}, status=404)])
def test_a_name_that_was_moved_is_not_removed_from_its_new_image(now: Behaviour) -> None:
    removal, sent = removed(THREE, {"/images/app:1/json": now})

    assert (removal.outcome, sent) == ("skipped", [])


def test_a_name_that_went_before_the_next_was_moved_is_no_skip() -> None:
    behaviours = {
        "/images/app:1": says([{"Untagged": "app:1"}]),
        "/images/app:2/json": says({"Id": OTHER}),
    }
    removal, sent = removed(THREE, behaviours)

    assert (removal.outcome, sent) == ("failed", ["/images/app:1"])
    assert removal.detail.startswith("1 of its names are gone, then: One of its names was taken from it")


def test_a_name_that_went_before_the_image_was_refused_is_no_skip() -> None:
    behaviours = {
        "/images/app:1": says([{"Untagged": "app:1"}]),
        "/images/app:2": says([{"Untagged": "app:2"}]),
        f"/images/{ID}": says({"message": "image is being used"}, status=409),
    }
    removal, sent = removed(THREE, behaviours)

    assert (removal.outcome, sent) == ("failed", ["/images/app:1", "/images/app:2", f"/images/{ID}"])
    assert "2 of its names are gone, then: " in removal.detail


def test_a_name_that_nobody_approved_and_that_goes_along_is_a_lost_race() -> None:
    one = ExpectedImage(ID, ("app:1",), 10)
    removal, _ = removed(one, {f"/images/{ID}": says([{"Untagged": "app:precious"}, {"Deleted": ID}])})

    assert removal.outcome == "raced"
    assert "app:precious" in removal.detail


@pytest.mark.req("X1")
def test_an_image_that_was_pulled_again_since_is_not_the_one_that_was_approved() -> None:
    found = {"Id": ID, "RepoTags": [], "RepoDigests": [f"app@{DIGEST}"], "Size": 10}

    assert image_differs(found, ExpectedImage(ID, (), 10)) == f"It was pulled or pushed since: app@{DIGEST} now."
    assert image_differs(found, ExpectedImage(ID, (), 10, (f"app@{DIGEST}",))) is None


@pytest.mark.parametrize(
    "of_its_store", [{"Descriptor": {"digest": ID}}, {"RepoTags": ["app:1"], "RepoDigests": [f"app@{ID}"]}]
)
def test_the_store_of_containerd_counts_another_size_than_it_lists(of_its_store: dict[str, object]) -> None:
    found = {"Id": ID, "RepoTags": ["app:1"], "Size": 4} | of_its_store

    assert image_differs(found, ExpectedImage(ID, ("app:1",), 10, (f"app@{ID}",))) is None


def test_elsewhere_another_size_is_another_image() -> None:
    found = {"Id": ID, "RepoTags": ["app:1"], "RepoDigests": [f"app@{DIGEST}"], "Size": 4}
    expected = ExpectedImage(ID, ("app:1",), 10, (f"app@{DIGEST}",))

    assert image_differs(found, expected) == "Its size is not the one that was approved."


def test_an_image_that_a_container_uses_keeps_all_its_names() -> None:
    behaviours = {"/containers/json": once(says([{"Id": "c"}]), says([]))}

    assert removed(THREE, behaviours)[0].outcome == "skipped"
