"""The verdict on each kind of resource, and the sentence that says why it is still here."""

from datetime import datetime
from typing import Any

import pytest

from hygiene.classify import Verdict, classify
from hygiene.contracts import (
    BudgetRule,
    CacheRecord,
    Class,
    Confidence,
    Container,
    History,
    Image,
    Inventory,
    Kind,
    Policy,
    ProtectionRule,
    Service,
)
from tests.factories import a_container, a_volume, an_image, an_inventory
from tests.hygiene.judging import DAY, GB, HOUR, NOW, an_old_image, budget, here_since, policy, verdict

LABELLED = {"ci.managed": "true"}


@pytest.mark.req("D2")
def test_a_dangling_image_with_the_managed_label_goes_by_the_labelled_budget() -> None:
    image = an_old_image(labels=LABELLED)
    found = verdict(an_inventory([image]), Kind.IMAGE, image.id, policy(budget("images.labelled")))
    assert found[:2] == (Class.CANDIDATE, "budget.images.labelled")


@pytest.mark.req("D3")
def test_the_labelled_budget_does_not_cover_an_image_that_is_not_dangling() -> None:
    image = an_old_image("ci/tenant:test", labels=LABELLED)
    found = verdict(an_inventory([image]), Kind.IMAGE, image.id, policy(budget("images.labelled", seconds=0)))
    assert found[:2] == (Class.KEPT, "no_budget")


@pytest.mark.req("D3")
@pytest.mark.parametrize("labels", [{}, {"ci.managed": "false"}, {"ci.managedx": "true"}, {"other": "ci.managed=true"}])
def test_the_labelled_budget_does_not_cover_an_image_without_the_label(labels: dict[str, str]) -> None:
    image = an_old_image(labels=labels)
    found = verdict(an_inventory([image]), Kind.IMAGE, image.id, policy(budget("images.labelled", seconds=0)))
    assert found[:2] == (Class.KEPT, "no_budget")


@pytest.mark.req("D4")
def test_without_a_managed_label_nothing_is_labelled() -> None:
    image = an_old_image(labels=LABELLED)
    rules = policy(budget("images.labelled", seconds=0), managed_label="")
    assert verdict(an_inventory([image]), Kind.IMAGE, image.id, rules)[0] == Class.KEPT


@pytest.mark.req("P7")
@pytest.mark.parametrize(
    ("built", "dangling", "expected"),
    [
        (NOW - 8 * DAY, NOW - 8 * DAY, Class.CANDIDATE),
        (NOW - 8 * DAY, NOW - HOUR, Class.KEPT),
        (NOW - HOUR, NOW - 8 * DAY, Class.KEPT),
        (NOW - 8 * DAY, None, Class.KEPT),
    ],
    ids=["both old", "untagged just now", "built just now", "nobody knows since when"],
)
def test_a_dangling_image_is_as_old_as_the_younger_of_its_build_and_its_dangling(
    built: datetime, dangling: datetime | None, expected: Class
) -> None:
    image = an_image().model_copy(update={"created_at": built})
    past = here_since(NOW - 30 * DAY, dangling=dangling)
    found = verdict(an_inventory([image]), Kind.IMAGE, image.id, policy(budget("images.dangling")), past=past)
    assert found[0] == expected


def test_a_freshly_pulled_old_image_is_young() -> None:
    image = an_old_image("web:1")
    found = verdict(an_inventory([image]), Kind.IMAGE, image.id, policy(budget("images")), past=here_since(NOW - HOUR))
    assert found == (Class.KEPT, "budget.images.age", "The budget for images keeps what was used within 7 days.")


def test_an_image_that_was_used_yesterday_is_kept() -> None:
    image = an_old_image("web:1")
    past = History(NOW - 30 * DAY, NOW - DAY, Confidence.EVENT, None, NOW - DAY)
    assert verdict(an_inventory([image]), Kind.IMAGE, image.id, policy(budget("images")), past=past)[0] == Class.KEPT


@pytest.mark.req("X5")
@pytest.mark.parametrize(
    ("used_days", "gap_days", "expected"),
    [
        (None, 1, (Class.KEPT, "budget.images.gap")),
        (None, 7.9, (Class.KEPT, "budget.images.gap")),
        (20, 1, (Class.KEPT, "budget.images.gap")),
        (1, 1, (Class.KEPT, "budget.images.age")),
        (None, 8, (Class.CANDIDATE, "budget.images")),
    ],
)
def test_an_image_is_as_old_as_the_last_gap_in_which_a_use_may_have_been_missed(
    used_days: float | None, gap_days: float, expected: tuple[Class, str]
) -> None:
    image = an_old_image("web:1")
    used = None if used_days is None else NOW - used_days * DAY
    past = History(NOW - 30 * DAY, used, Confidence.GAP, None, NOW - gap_days * DAY)
    assert verdict(an_inventory([image]), Kind.IMAGE, image.id, policy(budget("images")), past=past)[:2] == expected


@pytest.mark.req("X5")
def test_what_is_kept_for_a_gap_says_that_a_use_may_have_been_missed() -> None:
    container = a_container("web", an_image(), state="exited")
    past = History(NOW - 30 * DAY, None, Confidence.GAP, None, NOW - HOUR)
    inventory, rules = an_inventory(containers=[container]), policy(budget("containers"))
    assert verdict(inventory, Kind.CONTAINER, container.id, rules, past=past) == (
        Class.KEPT,
        "budget.containers.gap",
        "No use of it was seen, but events were lost and one may have been missed; the budget for containers keeps "
        "what may have been used within 7 days.",
    )


def test_a_budget_without_a_minimum_age_lets_go_whatever_was_missed() -> None:
    image = an_old_image("web:1")
    past = History(NOW - 30 * DAY, None, Confidence.GAP, None, NOW)
    rules = policy(budget("images", seconds=0))
    assert verdict(an_inventory([image]), Kind.IMAGE, image.id, rules, past=past)[0] == Class.CANDIDATE


@pytest.mark.req("H41")
def test_an_image_of_a_container_says_whose() -> None:
    image = an_old_image("web:1")
    inventory = an_inventory([image], containers=[a_container("web", image, state="exited")])
    found = verdict(inventory, Kind.IMAGE, image.id, policy(budget("images", seconds=0)))
    assert found == (Class.IN_USE, "image.used", "Used by container web (exited).")


@pytest.mark.req("P23")
def test_an_image_that_a_service_scaled_to_zero_names_is_in_use() -> None:
    image = an_old_image("web:1")
    service = Service(id="s", name="shop_web", stack=None, image="web:1", wanted=0, running=0, volumes=())
    inventory = an_inventory([image]).model_copy(update={"services": (service,)})
    found = verdict(inventory, Kind.IMAGE, image.id, policy(budget("images", seconds=0)))
    assert found[2] == "Used by service shop_web."


def without_services(image: Image) -> Inventory:
    blind = {"services": None, "unmeasured": {"services": "a worker cannot see them"}}
    return an_inventory([image]).model_copy(update=blind)


def test_where_services_could_not_be_listed_an_image_with_a_name_is_unknown() -> None:
    image = an_old_image("web:1")
    found = verdict(without_services(image), Kind.IMAGE, image.id, policy(budget("images", seconds=0)))
    assert found[0] == Class.UNKNOWN
    assert "services could not all be listed" in found[2]


def test_where_services_could_not_be_listed_a_volume_is_unknown() -> None:
    inventory = without_services(an_image()).model_copy(update={"volumes": (a_volume("data"),)})
    found = verdict(inventory, Kind.VOLUME, "data", policy())
    assert found[:2] == (Class.UNKNOWN, "unmeasured")
    assert "services could not all be listed" in found[2]


def test_no_service_can_name_an_image_without_tag_and_digest() -> None:
    image = an_old_image()
    found = verdict(without_services(image), Kind.IMAGE, image.id, policy(budget("images.dangling", seconds=0)))
    assert found[0] == Class.CANDIDATE


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"size_bytes": None}, "size"),
        ({"shared_bytes": None}, "size"),
        ({"shared_bytes": 10**12}, "size"),
        ({"created_at": None}, "age"),
    ],
)
def test_an_image_says_what_is_not_known_of_it(fields: dict[str, Any], missing: str) -> None:
    image = an_old_image("web:1").model_copy(update=fields)
    found = verdict(an_inventory([image]), Kind.IMAGE, image.id, policy(budget("images", seconds=0)))
    assert found[:2] == (Class.UNKNOWN, "unmeasured")
    assert found[2] == f"Not known of this image: {missing}. Until it is, it is treated as protected."


def of_container(container: Container, rules: Policy) -> Verdict:
    return verdict(an_inventory(containers=[container]), Kind.CONTAINER, container.id, rules)


@pytest.mark.parametrize("state", ["running", "paused", "restarting"])
def test_a_container_that_is_alive_is_in_use(state: str) -> None:
    container = a_container("web", an_image(), state=state)
    assert of_container(container, policy(budget("containers", seconds=0)))[0] == Class.IN_USE


@pytest.mark.parametrize("state", ["exited", "created", "dead"])
def test_a_container_that_stopped_goes_by_its_budget(state: str) -> None:
    container = a_container("web", an_image(), state=state)
    assert of_container(container, policy(budget("containers")))[:2] == (Class.CANDIDATE, "budget.containers")


@pytest.mark.parametrize(("fields", "missing"), [({"state": "removing"}, "state"), ({"size_rw_bytes": None}, "size")])
def test_a_container_of_unknown_state_or_size_is_unknown(fields: dict[str, Any], missing: str) -> None:
    container = a_container("web", an_image(), state="exited").model_copy(update=fields)
    found = of_container(container, policy(budget("containers", seconds=0)))
    assert found[0] == Class.UNKNOWN
    assert found[2].startswith(f"Not known of this container: {missing}.")


@pytest.mark.req("P10")
def test_an_unused_volume_is_kept_whatever_the_budgets() -> None:
    rules = policy(*(budget(scope, seconds=0) for scope in ("images", "containers", "build_cache")))
    found = verdict(an_inventory(volumes=[a_volume("data")]), Kind.VOLUME, "data", rules)
    assert found[:2] == (Class.KEPT, "volume.by_name_only")


def test_a_volume_that_the_engine_counts_references_to_is_in_use() -> None:
    volume = a_volume("data").model_copy(update={"ref_count": 2})
    found = verdict(an_inventory(volumes=[volume]), Kind.VOLUME, "data", policy())
    assert found == (Class.IN_USE, "volume.referenced", "The engine counts 2 references to it.")


def a_record(builder: str = "", **fields: Any) -> CacheRecord:
    return CacheRecord.model_validate(
        {
            "builder": builder,
            "id": "r1",
            "parent": "",
            "type": "regular",
            "size_bytes": 5 * GB,
            "in_use": False,
            "shared": False,
            "created_at": NOW - 30 * DAY,
            "last_used_at": NOW - 20 * DAY,
            "usage_count": 1,
        }
        | fields
    )


def of_record(record: CacheRecord, *budgets: BudgetRule) -> Verdict:
    return verdict(an_inventory(cache=[record]), Kind.BUILD_CACHE, record.key, policy(*budgets))


def test_build_cache_goes_by_when_it_was_last_used() -> None:
    bound = budget("build_cache")
    assert of_record(a_record(), bound)[0] == Class.CANDIDATE
    assert of_record(a_record(last_used_at=NOW - DAY), bound)[0] == Class.KEPT
    assert of_record(a_record(last_used_at=None, created_at=NOW - DAY), bound)[0] == Class.KEPT
    assert of_record(a_record(in_use=True), bound)[0] == Class.IN_USE


@pytest.mark.req("H72")
def test_the_cache_of_a_builder_has_a_budget_of_its_own() -> None:
    record = a_record("ci0")
    assert of_record(record, budget("build_cache"))[:2] == (Class.KEPT, "no_budget")
    assert of_record(record, budget("builder:ci0"))[:2] == (Class.CANDIDATE, "budget.builder:ci0")


def test_a_shared_record_weighs_nothing_in_the_engines_cache_and_its_size_in_a_builder() -> None:
    over, under = budget("build_cache", most=GB, seconds=0), budget("builder:ci0", most=GB, seconds=0)
    assert of_record(a_record(shared=True), over)[0] == Class.KEPT
    assert of_record(a_record("ci0", shared=True), under)[0] == Class.CANDIDATE


RULE = ProtectionRule(kind="any", pattern="(?i)runner", reason="state of a CI runner")


@pytest.mark.req("H44")
def test_runner_state_is_never_touched_and_says_by_which_rule() -> None:
    rules = policy(protections=(RULE,))
    found = verdict(an_inventory(volumes=[a_volume("runner-state")]), Kind.VOLUME, "runner-state", rules)
    reason = "Never touched: state of a CI runner (pattern (?i)runner)."
    assert found == (Class.PROTECTED, "protection", reason)


@pytest.mark.req("H45")
@pytest.mark.parametrize(("builder", "pattern"), [("", "^r1$"), ("ci0", "^r1$"), ("ci0", "^ci0/")])
def test_build_cache_is_protected_by_its_id_and_its_key(builder: str, pattern: str) -> None:
    rule = ProtectionRule(kind="any", pattern=pattern, reason="asked for")
    record = a_record(builder)
    rules = policy(budget("build_cache"), budget("builder:ci0"), protections=(rule,))
    assert verdict(an_inventory(cache=[record]), Kind.BUILD_CACHE, record.key, rules)[:2] == (
        Class.PROTECTED,
        "protection",
    )


@pytest.mark.req("H44")
def test_a_label_protects_whatever_carries_it() -> None:
    rule = ProtectionRule(kind="label", pattern="^keep=yes$", reason="asked for")
    image = an_old_image(labels={"keep": "yes"})
    rules = policy(budget("images.dangling", seconds=0), protections=(rule,))
    assert verdict(an_inventory([image]), Kind.IMAGE, image.id, rules)[0] == Class.PROTECTED


@pytest.mark.req("H43")
def test_a_required_image_is_protected_by_its_tag() -> None:
    image = an_old_image("odoo-docker:verify-devtools")
    rules = policy(budget("images", seconds=0), required_images=("odoo-docker:verify-devtools",))
    found = verdict(an_inventory([image]), Kind.IMAGE, image.id, rules)
    assert found[:2] == (Class.PROTECTED, "required_warm")


def test_a_protection_that_does_not_compile_leaves_nothing_half_judged() -> None:
    broken = ProtectionRule(kind="any", pattern="(", reason="?")
    with pytest.raises(ValueError, match="not a regular expression"):
        classify(an_inventory(), {}, policy(protections=(RULE, broken)), now=NOW)
