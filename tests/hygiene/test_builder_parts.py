"""What belongs to a builder: required, protected, in somebody's hands, or left over."""

import pytest

from hygiene.contracts import CacheRecord, Class, Container, Inventory, Kind, Mount, Policy, ProtectionRule, Volume
from hygiene.parse.builders import pair
from tests.factories import a_container, a_volume, an_image, an_inventory
from tests.hygiene.forest import a_record
from tests.hygiene.judging import DAY, NOW, an_old_image, budget, policy, verdict

BUILDKIT = an_old_image("moby/buildkit:buildx-stable-1")
STATE = a_volume("buildx_buildkit_ci0_state")


def a_builder(state: str = "exited") -> Container:
    mount = Mount(kind="volume", source=STATE.name, destination="/var/lib/buildkit")
    return a_container("buildx_buildkit_ci0", BUILDKIT, state=state, mounts=[mount])


def an_old_record(record: str) -> CacheRecord:
    return a_record(record, 5).model_copy(update={"last_used_at": NOW - 40 * DAY})


def a_host_with(*containers: Container, volume: Volume = STATE) -> Inventory:
    builders = pair(containers, [volume], {}, {})
    return an_inventory([BUILDKIT], containers=containers, volumes=[volume], builders=builders)


def classes(inventory: Inventory, rules: Policy | None = None) -> dict[Kind, Class]:
    """The class of the image, the builder's container, the volume and the builder."""
    keys = [(Kind.IMAGE, BUILDKIT.id), (Kind.VOLUME, STATE.name), (Kind.BUILDER, "ci0")]
    keys += [(Kind.CONTAINER, c.id) for c in inventory.containers if c.name.startswith("buildx")]
    return {kind: verdict(inventory, kind, key, rules or policy())[0] for kind, key in keys}


@pytest.mark.req("H37")
def test_all_parts_of_a_stopped_builder_that_is_not_required_are_left_over() -> None:
    assert set(classes(a_host_with(a_builder())).values()) == {Class.CANDIDATE}


@pytest.mark.req("H37")
def test_the_state_volume_of_a_builder_that_is_gone_is_left_over_and_its_image_is_not() -> None:
    found = classes(a_host_with())
    assert found == {Kind.IMAGE: Class.KEPT, Kind.VOLUME: Class.CANDIDATE, Kind.BUILDER: Class.CANDIDATE}


def test_what_is_left_over_says_from_which_builder_and_why() -> None:
    found = verdict(a_host_with(), Kind.VOLUME, STATE.name, policy())
    reason = "Left over from builder ci0: its container is gone, and the host does not require it."
    assert found == (Class.CANDIDATE, "builder.orphan", reason)


@pytest.mark.req("H43")
@pytest.mark.parametrize("state", ["running", "exited"])
def test_all_parts_of_a_required_builder_are_protected_even_when_it_is_stopped(state: str) -> None:
    found = classes(a_host_with(a_builder(state)), policy(required_builders=("ci",)))
    assert set(found.values()) == {Class.PROTECTED}


@pytest.mark.req("H43")
def test_all_parts_of_a_builder_that_a_rule_names_are_protected() -> None:
    rule = ProtectionRule(kind="builder", pattern="^ci", reason="still needed")
    assert set(classes(a_host_with(a_builder()), policy(protections=(rule,))).values()) == {Class.PROTECTED}


@pytest.mark.req("H45")
@pytest.mark.parametrize(("kind", "pattern"), [("container", "^buildx_buildkit_ci0$"), ("volume", "_state$")])
def test_a_rule_for_one_part_of_a_builder_protects_the_others_with_it(kind: str, pattern: str) -> None:
    rule = ProtectionRule.model_validate({"kind": kind, "pattern": pattern, "reason": "still needed"})
    assert set(classes(a_host_with(a_builder()), policy(protections=(rule,))).values()) == {Class.PROTECTED}


def test_a_running_builder_that_is_not_required_is_kept_and_said_to_be_unlisted() -> None:
    found = verdict(a_host_with(a_builder("running")), Kind.BUILDER, "ci0", policy())
    assert found[:2] == (Class.KEPT, "builder.unlisted")


def test_the_image_of_a_stopped_builder_that_another_container_has_is_not_left_over() -> None:
    found = classes(a_host_with(a_builder(), a_container("other", BUILDKIT)))
    assert found[Kind.IMAGE] == Class.IN_USE
    assert found[Kind.VOLUME] == Class.CANDIDATE


@pytest.mark.parametrize("own", [[], [a_builder()]], ids=["gone", "stopped"])
def test_a_state_volume_that_another_container_mounts_is_not_left_over(own: list[Container]) -> None:
    mount = Mount(kind="volume", source=STATE.name, destination="/backup")
    inventory = a_host_with(*own, a_container("backup", an_image(), mounts=[mount]))
    assert verdict(inventory, Kind.VOLUME, STATE.name, policy())[0] == Class.IN_USE
    found = verdict(inventory, Kind.BUILDER, "ci0", policy())
    assert found[:2] == (Class.IN_USE, "builder.state_used")
    assert "container backup" in found[2]


def test_a_state_volume_with_more_references_than_containers_is_not_left_over() -> None:
    found = classes(a_host_with(volume=STATE.model_copy(update={"ref_count": 1})))
    assert found[Kind.VOLUME] == Class.IN_USE
    assert found[Kind.BUILDER] == Class.UNKNOWN


@pytest.mark.parametrize("own", [[], [a_builder()]], ids=["gone", "stopped"])
def test_a_state_volume_whose_references_are_not_known_is_not_left_over(own: list[Container]) -> None:
    inventory = a_host_with(*own, volume=STATE.model_copy(update={"ref_count": None}))
    assert Class.CANDIDATE not in classes(inventory).values()
    found = verdict(inventory, Kind.BUILDER, "ci0", policy())
    assert found[:2] == (Class.UNKNOWN, "unmeasured")
    assert found[2].startswith("Not known of this builder: references to its state volume.")


def test_a_stopped_builder_whose_volume_is_gone_is_left_over_and_one_whose_volume_is_not_known_is_not() -> None:
    gone = a_host_with(a_builder()).model_copy(update={"volumes": ()})
    assert verdict(gone, Kind.BUILDER, "ci0", policy())[0] == Class.CANDIDATE
    unread = gone.model_copy(update={"unmeasured": {"volumes": "timed out"}})
    assert verdict(unread, Kind.BUILDER, "ci0", policy())[0] == Class.UNKNOWN


@pytest.mark.parametrize("own", [[], [a_builder()]], ids=["gone", "stopped"])
def test_where_services_could_not_be_listed_nothing_is_left_over(own: list[Container]) -> None:
    blind = {"services": None, "unmeasured": {"services": "a worker cannot see them"}}
    inventory = a_host_with(*own).model_copy(update=blind)
    assert Class.CANDIDATE not in classes(inventory).values()
    assert "services could not all be listed" in verdict(inventory, Kind.BUILDER, "ci0", policy())[2]


@pytest.mark.req("H45")
@pytest.mark.parametrize(("kind", "pattern"), [("builder", "^ci0$"), ("volume", "_state$")])
def test_the_build_cache_of_a_protected_builder_is_protected_with_it(kind: str, pattern: str) -> None:
    rule = ProtectionRule.model_validate({"kind": kind, "pattern": pattern, "reason": "still needed"})
    record = an_old_record("r1").model_copy(update={"builder": "ci0"})
    inventory = a_host_with(a_builder("running")).model_copy(update={"build_cache": (record, an_old_record("r2"))})
    rules = policy(budget("builder:ci0", seconds=0), budget("build_cache", seconds=0), protections=(rule,))
    assert verdict(inventory, Kind.BUILD_CACHE, "ci0/r1", rules)[0] == Class.PROTECTED
    assert verdict(inventory, Kind.BUILD_CACHE, "r2", rules)[0] == Class.CANDIDATE


def test_a_builder_in_a_state_that_nobody_knows_is_not_left_over() -> None:
    found = classes(a_host_with(a_builder("removing")))
    assert Class.CANDIDATE not in found.values()
