"""What is not any more as it was approved: each closes the change with a sentence, and nothing is touched."""

from datetime import timedelta

import pytest

from hygiene.contracts import Confidence, History, Inventory, Kind
from hygiene.plan.aged import plan_aged
from hygiene.plan.build_cache import plan_build_cache
from hygiene.plan.dangling import plan_dangling
from hygiene.plan.drift import differences
from hygiene.plan.retire import plan_retire
from tests.factories import a_busy_inventory, a_container, a_volume, an_inventory, digest
from tests.hygiene.judging import NOW, an_old_image, budget, policy
from tests.hygiene_changes.scenes import ENGINE, MONTH_AGO, a_scene

LABELLED = {"ci.managed": "true"}
DIGEST = f"sha256:{'d' * 64}"
LATER = NOW + timedelta(minutes=1)


def used(at: object) -> History:
    return History(
        first_seen_at=MONTH_AGO,
        last_used_at=at,  # type: ignore[arg-type]
        last_used_confidence=Confidence.EVENT,
        dangling_since=MONTH_AGO,
        unused_since=at,  # type: ignore[arg-type]
    )


def of_images(*images: object) -> Inventory:
    return an_inventory(images)  # type: ignore[arg-type]


@pytest.mark.req("X1")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tags": ("app:precious",)}, "tags is app:precious, not none."),
        ({"digests": (f"app@{DIGEST}",)}, f"digests is app@{DIGEST}, not none."),
        ({"size_bytes": 5}, "size bytes is 5, not 1000000000."),
    ],
)
def test_an_image_that_was_tagged_pulled_again_or_resized(change: dict[str, object], said: str) -> None:
    image = an_old_image(labels=LABELLED)
    plan = plan_dangling(a_scene(of_images(image)))
    now = a_scene(of_images(image.model_copy(update=change)))

    assert differences(plan, now)[0] == f"{image.id}: {said}"


@pytest.mark.req("X1")
def test_an_image_that_is_gone() -> None:
    image = an_old_image(labels=LABELLED)

    found = differences(plan_dangling(a_scene(of_images(image))), a_scene())

    assert found == (f"{image.id} is not there any more.",)


@pytest.mark.req("X1")
@pytest.mark.parametrize("state", ["running", "exited"])
def test_a_container_that_was_made_of_it_since(state: str) -> None:
    image = an_old_image("app:1")
    plan = plan_retire(a_scene(of_images(image)), ["image:app:1"])
    now = a_scene(an_inventory([image], containers=[a_container("new", image, state=state)]))

    assert len(differences(plan, now)) == 1
    assert differences(plan, now)[0].startswith("app:1: Used by container new")


@pytest.mark.req("X1")
@pytest.mark.parametrize("kind", [Kind.IMAGE, Kind.CONTAINER, Kind.VOLUME])
def test_what_was_used_since_and_left_no_trace_but_its_events(kind: Kind) -> None:
    image, other = an_old_image("app:1"), an_old_image("base:1")
    container = a_container("left-over", other, state="exited")
    host = an_inventory([image, other], containers=[container], volumes=[a_volume("data")])
    names = {Kind.IMAGE: "app:1", Kind.CONTAINER: "left-over", Kind.VOLUME: "data"}
    keys = {Kind.IMAGE: image.id, Kind.CONTAINER: container.id, Kind.VOLUME: "data"}
    plan = plan_retire(a_scene(host), [f"{kind.value}:{names[kind]}"])

    before = a_scene(host, history={(kind, keys[kind]): used(NOW)})
    since = a_scene(host, history={(kind, keys[kind]): used(LATER)})

    assert differences(plan, before) == ()
    assert differences(plan, since) == (f"{names[kind]} was used since it was planned.",)


@pytest.mark.req("P7")
@pytest.mark.req("X1")
def test_a_routine_does_not_take_what_its_own_budget_keeps_by_now() -> None:
    image = an_old_image()
    rules = policy(budget("images.dangling", seconds=0))
    plan = plan_aged(a_scene(of_images(image), rules=rules))
    younger = History(NOW - timedelta(hours=1), None, Confidence.NEVER_SEEN, NOW - timedelta(hours=1), None)
    now = a_scene(of_images(image), rules=rules, history={(Kind.IMAGE, image.id): younger})

    assert differences(plan, now) == (f"{image.id}: The budget for images.dangling keeps what was used within 24 h.",)


@pytest.mark.req("X1")
def test_a_protection_that_was_added_since() -> None:
    image = an_old_image("app:1")
    plan = plan_retire(a_scene(of_images(image)), ["image:app:1"])
    rules = policy(protections=({"kind": "image", "pattern": "^app:", "reason": "needed"},))

    assert differences(plan, a_scene(of_images(image), rules=rules)) == (
        "app:1: Never touched: needed (pattern ^app:).",
    )


@pytest.mark.req("X1")
def test_another_engine_under_the_same_name() -> None:
    plan = plan_retire(a_scene(of_images(an_old_image("app:1"))), ["image:app:1"])
    other = an_inventory()
    other = other.model_copy(update={"engine": other.engine.model_copy(update={"engine_id": digest("other")})})

    assert differences(plan, a_scene(other)) == ("Another engine answers.",)
    assert plan.target_identity == ENGINE


@pytest.mark.req("H24")
def test_another_user_than_the_plan_said() -> None:
    host = of_images(an_old_image("app:1"))
    plan = plan_retire(a_scene(host), ["image:app:1"])

    found = differences(plan, a_scene(host, user="root"))

    assert found == ("It was planned to be done as launchplane, and this is root.",)


@pytest.mark.req("H22")
def test_a_host_that_was_opted_out_since() -> None:
    host = of_images(an_old_image("app:1"))
    plan = plan_retire(a_scene(host), ["image:app:1"])

    found = differences(plan, a_scene(host, hygiene_enabled=False))

    assert found == ("Hygiene is not enabled on chris-testing any more.",)


@pytest.mark.req("H32")
def test_something_warm_that_is_missing_before_the_run() -> None:
    host = of_images(an_old_image("app:1"))
    plan = plan_retire(a_scene(host), ["image:app:1"])

    found = differences(plan, a_scene(host, rules=policy(required_images=("app:warm",))))

    assert found == ("Missing already before the run: image app:warm.",)


@pytest.mark.req("H45")
@pytest.mark.req("X1")
def test_build_cache_in_which_a_record_was_protected_since() -> None:
    record = a_busy_inventory().build_cache[1].model_copy(update={"in_use": False, "id": "precious"})
    host, cache = an_inventory(cache=[record]), budget("build_cache", seconds=0)
    rules = policy(cache, protections=({"kind": "any", "pattern": "^precious$", "reason": "asked for"},))

    found = differences(plan_build_cache(a_scene(host, rules=policy(cache))), a_scene(host, rules=rules))

    assert found == (
        "the engine's build cache: A prune cannot spare a single record. "
        "Never touched: asked for (pattern ^precious$).",
    )
    assert plan_build_cache(a_scene(host, rules=rules, phase_one=None)).steps == ()


def test_only_the_first_differences_are_told_and_how_many_more_there_are() -> None:
    images = [an_old_image(labels=LABELLED) for _ in range(8)]

    found = differences(plan_dangling(a_scene(of_images(*images))), a_scene())

    assert (len(found), found[-1]) == (6, "And 3 more differences.")


@pytest.mark.req("H23")
def test_another_address_than_the_one_that_was_approved() -> None:
    image = an_old_image("app:1")
    plan = plan_retire(a_scene(of_images(image)), ["image:app:1"])

    (said,) = differences(plan, a_scene(of_images(image), docker_url="unix:///elsewhere.sock"))

    assert "/run/docker.sock, and that is the engine's socket unix:///elsewhere.sock now" in said
