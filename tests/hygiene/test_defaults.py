"""What a new host starts with: state that nobody may touch, and budgets that only report."""

import pytest

from hygiene.classify import classify
from hygiene.contracts import Class, Kind
from hygiene.defaults import give_defaults, require_running_builders
from hygiene.models import Budget
from hygiene.parse.builders import pair
from hygiene.parse.items import container
from hygiene.parse.values import LONGEST_KEY
from hygiene.policy import policy_of
from launchplane.hosts.models import Host
from tests.factories import a_host, a_volume, an_inventory
from tests.hygiene.judging import NOW
from tests.hygiene.test_builders import a_builder_container, state_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def host() -> Host:
    return a_host()


@pytest.mark.req("H44")
@pytest.mark.parametrize(
    "name",
    [
        "actions-runner",
        "github_runner_work",
        "ci-actions.runner-7",
        "runner-state",
        "runner_config",
        "host-bootstrap",
        "launchplane-state",
    ],
)
def test_runner_and_bootstrap_state_is_protected_from_the_start(host: Host, name: str) -> None:
    verdicts = classify(an_inventory(volumes=[a_volume(name)]), {}, policy_of(host), now=NOW)
    assert verdicts[Kind.VOLUME, name].cls == Class.PROTECTED


@pytest.mark.parametrize("name", ["frontrunner", "forerunner-data", "bootstrapper", "data", "web-runnerless"])
def test_names_that_only_look_like_it_are_not(host: Host, name: str) -> None:
    verdicts = classify(an_inventory(volumes=[a_volume(name)]), {}, policy_of(host), now=NOW)
    assert verdicts[Kind.VOLUME, name].cls == Class.KEPT


def test_a_volume_labelled_as_protected_is(host: Host) -> None:
    volume = a_volume("data", labels={"launchplane.protect": "TRUE"})
    verdicts = classify(an_inventory(volumes=[volume]), {}, policy_of(host), now=NOW)
    assert verdicts[Kind.VOLUME, "data"].cls == Class.PROTECTED


@pytest.mark.req("H72")
def test_every_budget_of_a_new_host_only_reports(host: Host) -> None:
    budgets = Budget.objects.filter(host=host)
    assert {"images", "build_cache", "runner_work", "logs"} <= set(budgets.values_list("scope", flat=True))
    assert set(budgets.values_list("mode", flat=True)) == {Budget.Mode.REPORT}


def test_defaults_that_are_given_again_leave_what_an_operator_set(host: Host) -> None:
    host.budgets.filter(scope="images").update(min_age_seconds=1)
    protections = host.protections.count()
    give_defaults(host)
    assert host.budgets.get(scope="images").min_age_seconds == 1
    assert host.protections.count() == protections


@pytest.mark.req("H43")
@pytest.mark.req("H72")
def test_a_builder_that_runs_is_entered_as_required_with_a_budget_and_a_stopped_one_is_not(host: Host) -> None:
    found = [a_builder_container("ci0"), a_builder_container("old0", state="exited")]
    builders = pair(found, [state_of("ci0"), state_of("old0")], {}, {})
    require_running_builders(host, an_inventory(builders=builders))
    require_running_builders(host, an_inventory(builders=builders))
    assert [item.name for item in host.required_warm.all()] == ["ci0"]
    assert host.budgets.filter(scope__startswith="builder:").get().scope == "builder:ci0"


def test_a_builder_with_the_longest_name_fits_every_column(host: Host) -> None:
    raw = {
        "Id": "b" * 64,
        "Names": ["/" + "buildx_buildkit_".ljust(LONGEST_KEY, "x")],
        "ImageID": "",
        "State": "running",
        "Labels": {},
        "Mounts": [{"Type": "volume", "Name": "state", "Destination": "/var/lib/buildkit"}],
    }
    builders = pair([container(raw, measured=False)], [], {}, {})
    require_running_builders(host, an_inventory(builders=builders))
    for row in (host.required_warm.get(), host.budgets.get(scope__startswith="builder:")):
        row.full_clean()
