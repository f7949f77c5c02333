"""Plans from facts: what blocks each and what to do about it, and what an approver is told of its privilege."""

import ast
import inspect
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from hygiene.contracts import Builder, Inventory, Kind, Mount
from hygiene.plan import aged, assemble, build_cache, dangling, retire
from hygiene.plan.aged import plan_aged
from hygiene.plan.assemble import NEXT_STEPS
from hygiene.plan.bounds import AGED, BUILD_CACHE, DANGLING, RETIRE
from hygiene.plan.build_cache import plan_build_cache
from hygiene.plan.dangling import plan_dangling
from hygiene.plan.items import MOST
from hygiene.plan.retire import plan_retire
from hygiene.plan.scene import Scene
from hygiene.undo import of_image
from launchplane.changes.contracts import Plan
from tests.factories import GB, a_busy_inventory, a_container, a_volume, an_image, an_inventory
from tests.hygiene.judging import NOW, an_old_image, budget, here_since, policy
from tests.hygiene_changes.scenes import a_scene

HOUR = timedelta(hours=1)


def every_plan(scene: Scene, items: tuple[str, ...] = ()) -> dict[str, Plan]:
    return {
        BUILD_CACHE: plan_build_cache(scene),
        DANGLING: plan_dangling(scene),
        AGED: plan_aged(scene),
        RETIRE: plan_retire(scene, items),
    }


def blocked_by(plan: Plan) -> set[str]:
    """The codes, each with a sentence and, in the plan, what to do next."""
    assert all(blocker.summary for blocker in plan.blockers)
    assert {NEXT_STEPS[blocker.code] for blocker in plan.blockers} == set(plan.next_steps)
    return {blocker.code for blocker in plan.blockers}


def a_builder(node: str) -> tuple[Builder, Inventory]:
    """A running builder and an inventory of its parts."""
    image = an_image("moby/buildkit:buildx-stable-1")
    name = f"buildx_buildkit_{node}"
    mount = Mount(kind="volume", source=f"{name}_state", destination="/var/lib/buildkit")
    container = a_container(name, image, mounts=[mount])
    builder = (
        a_busy_inventory()
        .builders[0]
        .model_copy(
            update={
                "name": node,
                "container_id": container.id,
                "container_name": name,
                "image_id": image.id,
                "volume": f"{name}_state",
            }
        )
    )
    parts = an_inventory([image], containers=[container], volumes=[a_volume(f"{name}_state")], builders=[builder])
    return builder, parts


@pytest.mark.req("H22")
@pytest.mark.req("H21")
@pytest.mark.parametrize(
    ("host", "code"),
    [
        ({"approved": False}, "host_not_approved"),
        ({"hygiene_enabled": False}, "hygiene_not_enabled"),
        ({"engine_id": "ANOTHER:ENGINE"}, "another_engine"),
    ],
)
def test_what_the_host_does_not_allow_blocks_every_kind(host: dict[str, Any], code: str) -> None:
    for kind, plan in every_plan(a_scene(**host)).items():
        assert code in blocked_by(plan), kind
        assert plan.status == "blocked"


@pytest.mark.req("H22")
@pytest.mark.parametrize("rules", [{"required_builders": ("ci",)}, {"required_images": ("app:warm",)}])
def test_what_must_be_warm_and_is_not_in_the_report_blocks_every_kind(rules: dict[str, tuple[str, ...]]) -> None:
    for kind, plan in every_plan(a_scene(rules=policy(**rules))).items():
        assert "required_warm_missing" in blocked_by(plan), kind


@pytest.mark.req("H22")
def test_a_required_builder_that_cannot_be_seen_blocks_every_kind() -> None:
    scene = a_scene(an_inventory(unmeasured={"containers": "timed out"}), rules=policy(required_builders=("ci",)))

    for kind, plan in every_plan(scene).items():
        assert {"required_warm_missing", "not_measured"} <= blocked_by(plan), kind


@pytest.mark.req("H22")
@pytest.mark.req("H43")
@pytest.mark.req("H45")
@pytest.mark.parametrize("item", ["volume:buildx_buildkit_ci0_state", "image:moby/buildkit:buildx-stable-1"])
def test_no_part_of_a_required_builder_can_be_retired(item: str) -> None:
    _builder, parts = a_builder("ci0")

    plan = plan_retire(a_scene(parts, rules=policy(required_builders=("ci",))), [item])

    assert blocked_by(plan) == {"warm_not_retained"}


@pytest.mark.req("H43")
@pytest.mark.req("H45")
def test_a_required_builder_that_is_stopped_can_not_be_retired_either() -> None:
    builder, parts = a_builder("ci0")
    stopped = parts.containers[0].model_copy(update={"state": "exited"})
    builder = builder.model_copy(update={"state": "stopped", "container_state": "exited"})
    parts = parts.model_copy(update={"containers": (stopped,), "builders": (builder,)})

    plan = plan_retire(a_scene(parts, rules=policy(required_builders=("ci",))), ["builder:ci0"])

    assert blocked_by(plan) == {"warm_not_retained"}


@pytest.mark.req("H44")
@pytest.mark.req("H45")
def test_what_is_protected_can_not_be_retired() -> None:
    rules = policy(protections=({"kind": "any", "pattern": "^runner", "reason": "state of a CI runner"},))
    scene = a_scene(an_inventory(volumes=[a_volume("runner-state")]), rules=rules)

    plan = plan_retire(scene, ["volume:runner-state"])

    assert blocked_by(plan) == {"item_protected"}


@pytest.mark.req("H21")
@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("image:nowhere:1", "item_not_on_host"),
        ("nonsense", "item_not_on_host"),
        ("image:", "item_not_on_host"),
        ("build_cache:abc", "not_by_name"),
        ("image:web:1", "item_in_use"),
        ("container:web", "item_in_use"),
        ("volume:without-time", "item_unknown"),
    ],
)
def test_a_named_item_that_can_not_go_says_why_and_what_to_do(item: str, code: str) -> None:
    web = an_old_image("web:1")
    timeless = a_volume("without-time").model_copy(update={"created_at": None})
    scene = a_scene(an_inventory([web], containers=[a_container("web", web)], volumes=[timeless]))

    assert blocked_by(plan_retire(scene, [item])) == {code}


@pytest.mark.req("H36")
@pytest.mark.req("H39")
def test_nothing_is_retired_that_was_not_named() -> None:
    scene = a_scene(an_inventory([an_old_image("a:1"), an_old_image("b:1")], volumes=[a_volume("data")]))

    assert blocked_by(plan_retire(scene, [])) == {"no_item_named"}
    assert [step.title for step in plan_retire(scene, ["image:b:1"]).steps] == ["b:1"]


@pytest.mark.req("H21")
def test_every_code_that_a_plan_can_be_blocked_with_says_what_to_do() -> None:
    codes = {code for module in (aged, assemble, build_cache, dangling, retire) for code in codes_in(module)}

    assert {"host_not_approved", "no_budget_applies", "no_item_named", "scope_too_broad"} <= codes
    assert codes <= NEXT_STEPS.keys()


def codes_in(module: ModuleType) -> set[str]:
    """The codes of the blockers in a module's source; one that is put together stands for each class it is made of."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Blocker"]
    values = [keyword.value for call in made for keyword in call.keywords if keyword.arg == "code"]
    assert len(values) == len(made)
    plain = {str(value.value) for value in values if isinstance(value, ast.Constant)}
    return plain | ({"item_in_use", "item_protected", "item_unknown"} if len(plain) < len(values) else set())


@pytest.mark.req("H23")
@pytest.mark.req("H24")
def test_a_plan_says_which_calls_it_makes_where_as_whom_and_how_to_get_back() -> None:
    images = [an_old_image("a:1"), an_old_image("b:1")]
    scene = a_scene(an_inventory(images, volumes=[a_volume("data")]))

    plan = plan_retire(scene, ["image:a:1", "image:b:1", "volume:data"])
    limits = plan.boundary

    assert (limits.host, limits.user, limits.through) == (
        "chris-testing",
        "launchplane",
        "the engine's socket unix:///run/docker.sock",
    )
    assert [(call.name, call.at_most) for call in limits.calls] == [("remove_volume", 1), ("remove_image", 2)]
    assert limits.before and limits.after
    assert limits.rollback == "Of 3 items: 3 cannot be got again."


@pytest.mark.req("H24")
def test_more_items_than_people_can_look_at_are_refused() -> None:
    images = [an_old_image(f"app:{number}") for number in range(MOST + 1)]
    names = [f"image:app:{number}" for number in range(MOST + 1)]

    assert "scope_too_broad" in blocked_by(plan_retire(a_scene(an_inventory(images)), names))
    assert blocked_by(plan_retire(a_scene(an_inventory(images)), names[1:])) == set()


@pytest.mark.req("H24")
def test_a_boundary_names_one_host() -> None:
    assert "scope_too_broad" in blocked_by(plan_retire(a_scene(name="chris-*"), []))


@pytest.mark.req("P7")
@pytest.mark.parametrize("younger", ["created", "dangling"])
def test_a_dangling_image_is_old_by_both_its_build_and_the_ledger(younger: str) -> None:
    image, month = an_old_image(), NOW - timedelta(days=30)
    old = a_scene(an_inventory([image]), rules=policy(budget("images.dangling", seconds=0)))
    day = NOW - 24 * HOUR + timedelta(seconds=1)
    past = {(Kind.IMAGE, image.id): here_since(month, dangling=day if younger == "dangling" else month)}
    made = image.model_copy(update={"created_at": day}) if younger == "created" else image
    young = a_scene(an_inventory([made]), rules=policy(budget("images.dangling", seconds=0)), history=past)

    assert [step.target for step in plan_aged(old).steps] == [image.id]
    assert plan_aged(young).steps == ()


@pytest.mark.req("H40")
def test_what_a_retirement_leaves_alone_is_in_the_plan_with_why() -> None:
    named, other = an_old_image("a:1"), an_old_image("b:1")
    scene = a_scene(an_inventory([named, other], volumes=[a_volume("data")]), rules=policy(budget("images")))

    left = plan_retire(scene, ["image:a:1"]).facts["left_alone"]

    assert isinstance(left, dict)
    assert {rule: line["count"] for rule, line in left.items()} == {"budget.images": 1, "volume.by_name_only": 1}
    assert all(line["such_as"] for line in left.values())


@pytest.mark.req("H40")
@pytest.mark.req("H31")
def test_what_a_build_cache_clean_up_leaves_alone_is_in_the_plan_with_why() -> None:
    _builder, parts = a_builder("ci0")
    scene = a_scene(parts, rules=policy(budget("build_cache"), required_builders=("ci",)), phase_one=None)

    plan = plan_build_cache(scene)

    left = plan.facts["left_alone"]
    assert isinstance(left, dict)
    assert left["required_warm"]["such_as"] == "Required warm on this host: part of builder ci."
    assert "required warm builder ci" in plan.protections


@pytest.mark.req("X6")
def test_an_image_can_be_pulled_again_only_if_a_registry_gave_it_its_digest() -> None:
    image = an_image("app:1", size=GB)
    pulled = image.model_copy(update={"digests": ("app@sha256:" + "d" * 64,)})
    by_containerd = image.model_copy(update={"digests": (f"app@{image.id}",)})

    assert [of_image(each).reversible for each in (image, pulled, by_containerd)] == ["no", "yes", "unknown"]
    assert "can be pulled again" not in of_image(by_containerd).sentence.lower()


def test_what_is_surely_lost_is_warned_of_first_and_hardest() -> None:
    unsure = an_old_image("b:1")
    unsure = unsure.model_copy(update={"digests": (f"b@{unsure.id}",)})
    scene = a_scene(an_inventory([unsure, an_old_image("a:1")], volumes=[a_volume("data")]))

    warnings = plan_retire(scene, ["image:b:1", "image:a:1", "volume:data"]).facts["warnings"]

    assert isinstance(warnings, tuple)
    assert [str(line).split(" ")[:2] for line in warnings] == [["data", "is"], ["a:1", "is"], ["b:1:", "Whether"]]
