"""`hosts check` over ssh, and lanes that are installed from their records: what is missing, each with its next step."""

import json
from pathlib import Path

import pytest
from pytest import MonkeyPatch

from launchplane.hosts.models import Host
from tests.hosts.remote.installed import NAME, Installed, install
from tests.lanes.records import a_lane
from tests.shell import Outcome, manage

pytestmark = [pytest.mark.testbed, pytest.mark.django_db(transaction=True)]

LANE, FOLDER = "cm-website-chris-testing", "/srv/runners/cm-website-chris-testing"


@pytest.fixture
def lane(host: Host, there: Installed, tmp_path: Path, monkeypatch: MonkeyPatch) -> str:
    """A lane on record, installed again from there."""
    lane = a_lane(host, name=LANE, service_user="lane-cm-website")
    again = tmp_path / "again"
    again.mkdir()
    outcome = install(there.host, again, monkeypatch, "--apply", "--json")
    assert outcome.code == 0, outcome.err
    return lane.name


def checks(outcome: Outcome) -> dict[str, bool]:
    return {one["what"]: one["ok"] for one in outcome.json["checks"]}


@pytest.mark.req("M46")
@pytest.mark.usefixtures("lane")
def test_a_lane_that_was_installed_from_its_record_can_be_asked(host: Host, there: Installed) -> None:
    outcome = manage("hosts", "check", NAME, "--json")
    assert checks(outcome) == {"session": True, "launchplane-unit": True, f"lane {LANE}": True}
    assert outcome.code == 0
    assert there.host.must(["stat", "-c", "%U %a", FOLDER, "/srv/runners/homes/lane-cm-website"]).split() == [
        *("lane-cm-website", "750"),
        *("lane-cm-website", "750"),
    ]
    assert there.host.must(["stat", "-c", "%U %a", "/srv/runners", "/srv/runners/homes"]).split() == [
        *("root", "755"),
        *("root", "755"),
    ]
    told = json.loads(there.host.must(["cat", "/etc/launchplane/host.json"]))
    assert told["lanes"][LANE]["user"] == "lane-cm-website"
    assert told["docker"]["engine_id"] == host.engine_id


def test_a_lane_that_the_host_was_never_told_of_is_missing_and_it_says_what_to_do(host: Host) -> None:
    a_lane(host, name="another-lane", service_user="lane-another")
    outcome = manage("hosts", "check", NAME)
    assert outcome.code == 3
    assert "not ok  lane another-lane: The host says: this host's administrator has no such lane" in outcome.out
    assert f"Next: manage.py hosts install {NAME} --apply --admin TARGET" in outcome.out


@pytest.mark.usefixtures("lane")
def test_what_was_taken_from_a_host_is_missing(host: Host, there: Installed) -> None:
    there.host.must(["rm", "/var/lib/launchplane/session", "/etc/sudoers.d/launchplane"])
    there.host.must(["mv", FOLDER, f"{FOLDER}.gone"])
    outcome = manage("hosts", "check", NAME, "--json")
    there.host.must(["mv", f"{FOLDER}.gone", FOLDER])
    # without sudo not even the engine can be asked
    assert (outcome.code, outcome.error["code"]) == (2, "answer_unusable")
    assert f"Next: manage.py hosts install {NAME} --admin TARGET" in outcome.err
    assert host.contacts.first().reachable is False  # type: ignore[union-attr]


@pytest.mark.req("M54")
def test_programs_of_another_version_are_refused_with_what_to_do(host: Host, there: Installed) -> None:
    init = "/usr/local/lib/launchplane/onhost/__init__.py"
    there.host.must(["sed", "-i", 's/^VERSION = .*/VERSION = "99"/', init])
    outcome = manage("hosts", "check", NAME, "--json")
    assert (outcome.code, outcome.error["code"]) == (4, "version_skew")
    assert "has version 99" in outcome.err
    assert "hosts install" in outcome.err
    report = manage("hygiene", "report", NAME, "--json")
    assert report.error["code"] == "version_skew"


def test_a_host_without_the_programs_says_so(host: Host, there: Installed) -> None:
    there.host.must(["mv", "/usr/local/lib/launchplane", "/usr/local/lib/elsewhere"])
    outcome = manage("hosts", "check", NAME, "--json")
    there.host.must(["mv", "/usr/local/lib/elsewhere", "/usr/local/lib/launchplane"])
    assert (outcome.code, outcome.error["code"]) == (2, "programs_missing")
