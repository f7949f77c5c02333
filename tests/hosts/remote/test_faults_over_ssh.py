"""What goes wrong between us and a host over ssh: another key, a cut line, a host that hangs. Nothing is done twice."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from pytest_django import Settings

from hygiene import services
from launchplane.access.models import User
from launchplane.changes import lock, steps
from launchplane.changes.apply import apply_change
from launchplane.changes.models import Change
from launchplane.changes.news import News
from launchplane.hosts import boundary
from launchplane.hosts.answers import Json
from launchplane.hosts.carriers import OverSsh, ssh_host
from launchplane.hosts.connect import remover_of
from launchplane.hosts.models import Host
from launchplane.hosts.programs import Programs, programs_of
from launchplane.hosts.remote_removals import RemoteRemover
from launchplane.hosts.ssh import Patience
from onhost.engine.removals import ExpectedImage
from tests.engine_things import an_image, image_ids
from tests.hosts.remote.installed import NAME, Installed
from tests.hosts.test_ssh import new_key
from tests.hygiene_changes.ways import DANGLING, applied, approved, outcomes, person
from tests.shell import manage

pytestmark = [pytest.mark.testbed, pytest.mark.django_db(transaction=True)]


def test_a_host_that_answers_with_another_key_is_asked_nothing(
    host: Host, client: docker.DockerClient, operator: User, approver: User, tmp_path: Path
) -> None:
    image = an_image(client, "labelled", labelled=True)
    change = approved(DANGLING, host, operator, approver)
    other = new_key(tmp_path, "-t", "ed25519").with_suffix(".pub").read_text().strip()
    Host.objects.update(ssh_host_key=other)

    outcome = manage("hosts", "check", NAME, "--json")
    assert (outcome.code, outcome.error["code"]) == (2, "ssh_host_key_changed")
    change = apply_change(Change.objects.get(pk=change.pk), by=person(operator))
    assert change.status == "approved"
    assert "has not the pinned host key" in change.sentence
    assert image in image_ids(client)


def test_our_own_key_opens_nothing_but_the_programs(host: Host, there: Installed) -> None:
    way = ssh_host(host.ssh_target, host.ssh_host_key)
    for argv in (["id"], ["sh", "-c", "id"], ["launchplane-docker", "observe"], ["docker", "ps"]):
        result = way.run(argv, stdin=b"{}\n", timeout_seconds=60)
        assert result.returncode == 2, argv
        assert '"ok": false' in result.stdout
    assert there.host.run(["id", "--groups", "--name", "launchplane"]).stdout.split() == ["launchplane"]


@pytest.mark.req("X17")
def test_a_line_that_is_cut_between_two_items_halts_the_change(
    host: Host, there: Installed, client: docker.DockerClient, operator: User, approver: User
) -> None:
    going = {an_image(client, f"labelled {number}", labelled=True) for number in range(3)}
    change = approved(DANGLING, host, operator, approver)
    removed: list[str] = []

    def cut() -> None:
        removed.append("one")
        there.host.must(["pkill", "--signal", "KILL", "--uid", "launchplane", "--full", "launchplane-dispatch"])
        while programs_of(host).is_held():
            pass

    change = _apply_and_after_the_first(change, operator, cut)
    # the second was looked at when the line was there still: it is not sent, and nothing is begun any more
    assert outcomes(change) == ["done", "failed", "skipped"]
    assert len(image_ids(client) & going) == 2
    assert "Nothing was begun" in change.steps.get(position=2).detail
    assert "was cut" in change.steps.get(position=3).detail


def _apply_and_after_the_first(change: Change, operator: User, happen: Callable[[], object]) -> Change:
    """Apply it; right after the first item's outcome `happen` is called, as the news of a freeze would come."""
    began: list[int] = []

    class Meddled(News):
        def any(self) -> bool:
            began.append(1)
            if len(began) == 2:
                happen()
            return super().any()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "News", Meddled)
        return apply_change(Change.objects.get(pk=change.pk), by=person(operator))


@pytest.mark.req("H28")
def test_a_verb_without_the_session_that_holds_the_host_is_refused_there(
    host: Host, client: docker.DockerClient
) -> None:
    image = an_image(client, "labelled", labelled=True)
    allowance = boundary.Allowance({"launchplane-docker remove_image": 1}, lambda: True, 5)
    expected: dict[str, Json] = {
        "id": image,
        "tags": [],
        "size_bytes": 2000,
        "digests": [],
        "engine_id": host.engine_id,
    }
    with programs_of(host).session(), boundary.within(allowance):
        answer = programs_of(host).ask(
            "launchplane-docker", {"verb": "remove_image", "session": "0" * 32, **expected}, timeout_seconds=60
        )
    assert (answer.ok, answer.code) == (False, "not_held")
    assert image in image_ids(client)


@pytest.mark.req("H28")
def test_two_control_planes_do_not_hold_a_host_together(host: Host) -> None:
    other = Programs(NAME, OverSsh(ssh_host(host.ssh_target, host.ssh_host_key)))
    with lock.held(host), pytest.raises(Exception, match="another control plane"), other.session():
        pass
    with lock.held(host):
        assert programs_of(host).is_held()


def test_a_host_that_hangs_is_given_up_and_the_item_is_unknown(
    host: Host, there: Installed, client: docker.DockerClient
) -> None:
    image = an_image(client, "labelled", labelled=True)
    way = ssh_host(host.ssh_target, host.ssh_host_key)
    impatient = OverSsh(replace(way, patience=Patience(connect_seconds=5, alive_seconds=1, alive_count=2)))
    programs = Programs(NAME, impatient)
    allowance = boundary.Allowance({"remove_image": 1}, lambda: True, 5)
    slow = "/usr/local/lib/launchplane/launchplane-docker"
    text = there.host.must(["cat", slow])
    there.host.must(["tee", slow], stdin="#!/bin/sh\nkill -STOP $(pgrep --uid launchplane sshd) \nsleep 30\n")
    with programs.session(), boundary.within(allowance):
        removal = RemoteRemover(programs, engine_id=host.engine_id).remove_image(ExpectedImage(image, (), 2000))
    there.host.must(["sh", "-c", "pkill --signal CONT --uid launchplane sshd; true"])
    there.host.must(["tee", slow], stdin=text)
    there.host.must(["pkill", "--full", "^sleep 30$"])
    nobody_is_left(there)
    assert removal.outcome == "unknown"
    assert image in image_ids(client)


def test_a_host_that_is_gone_is_unreachable_and_its_last_report_stays(
    host: Host, there: Installed, settings: Settings
) -> None:
    services.observe_host(host, asked_by="a test")
    Host.objects.update(ssh_target=f"launchplane@{there.host.address}:9")
    outcome = manage("hygiene", "report", NAME, "--json")
    assert (outcome.code, outcome.error["code"]) == (2, "ssh_unreachable")
    assert manage("hygiene", "report", NAME, "--stored", "--json").json["docker_summary"]["images"]["count"] == 0


def test_a_removal_that_was_never_begun_is_none(host: Host, client: docker.DockerClient) -> None:
    image = an_image(client, "labelled", labelled=True)
    remover = remover_of(Host.objects.get(name=NAME), api_version="1.45")
    with boundary.within(boundary.Allowance({"remove_image": 1}, lambda: True, 5)):
        removal = remover.remove_image(ExpectedImage(image, (), 2000))
    assert (removal.outcome, "is not held" in removal.detail) == ("failed", True)


def test_a_completed_clean_up_leaves_nobody_holding_the_host(
    host: Host, there: Installed, client: docker.DockerClient, operator: User, approver: User
) -> None:
    an_image(client, "labelled", labelled=True)
    assert applied(DANGLING, host, operator, approver).status == "completed"
    nobody_is_left(there)


def nobody_is_left(there: Installed) -> None:
    """Our line is closed; the program at its other end sees that in its own time, and until then the host is busy."""
    still = "pgrep --uid launchplane --full launchplane-dispatch >/dev/null"
    there.host.must(["sh", "-c", f"for try in $(seq 150); do {still} || exit 0; sleep 0.2; done; exit 1"])
