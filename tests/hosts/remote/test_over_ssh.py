"""All of hygiene over ssh: the same numbers as that host's own client, a clean-up, and what a host keeps for itself."""

import json
from operator import itemgetter

import docker
import pytest
from django.utils import timezone

from audits.models import AuditRecord
from hygiene import looking, services
from launchplane.access.models import User
from launchplane.changes.models import Change
from launchplane.hosts.connect import engine_of, identify, read_machine_of
from launchplane.hosts.contracts import MachineQuestion
from launchplane.hosts.local_engine import LocalEngine
from launchplane.hosts.models import Host
from tests.engine_things import an_image, image_ids
from tests.hosts.remote.installed import NAME, Installed
from tests.hygiene_changes.ways import DANGLING, applied, outcomes, planned
from tests.shell import manage

pytestmark = [pytest.mark.testbed, pytest.mark.django_db(transaction=True)]


def quiet(_line: str) -> None:
    """Nobody reads the progress."""


def test_a_host_is_added_over_ssh_with_its_engine_and_its_key_pinned(host: Host, there: Installed) -> None:
    assert host.engine_id == there.host.must(["docker", "info", "--format", "{{.ID}}"]).strip()
    assert host.ssh_host_key == there.host.host_key
    assert identify(host).api_version == "1.45"
    assert manage("hosts", "check", NAME).code in (0, 3)


@pytest.mark.req("H1")
def test_what_is_seen_over_ssh_is_what_is_seen_there(host: Host, there: Installed, client: docker.DockerClient) -> None:
    an_image(client, "labelled", labelled=True)
    an_image(client, "tagged", tag="ci/app:1")
    now = timezone.now()
    over = engine_of(host).observe(since=None, until=now, progress=quiet, pinned_id=host.engine_id)
    here = LocalEngine(there.engine_url).observe(since=None, until=now, progress=quiet, pinned_id=host.engine_id)
    assert over.identity == here.identity
    assert {name: answer.reason for name, answer in over.answers.items()} == dict.fromkeys(here.answers)
    for answers in (over.answers, here.answers):
        # the engine lists images of one second in any order
        answers["df"].value["Images"].sort(key=itemgetter("Id"))
    for name in here.answers:
        assert over.answers[name].value == here.answers[name].value, name
    ids = [image["Id"] for image in over.answers["df"].value["Images"]]
    layers = engine_of(host).image_layers(ids, progress=quiet)
    assert {key: answer.value for key, answer in layers.items()} == {
        key: answer.value for key, answer in LocalEngine(there.engine_url).image_layers(ids, progress=quiet).items()
    }
    assert engine_of(host).glance(pinned_id=host.engine_id).answers["containers"].value == []


def test_a_report_over_ssh_has_the_numbers_of_that_hosts_own_client(
    host: Host, there: Installed, client: docker.DockerClient
) -> None:
    for number in range(3):
        an_image(client, f"labelled {number}", labelled=True, size=5000)
    an_image(client, "tagged", tag="ci/app:1", size=7000)

    services.observe_host(host, asked_by="a test")
    report = manage("hygiene", "report", NAME, "--stored", "--json").json

    shown = there.host.must(
        ["docker", "system", "df", "--format", "{{.Type}}|{{.TotalCount}}|{{.Size}}|{{.Reclaimable}}"]
    )
    images = next(line.split("|") for line in shown.splitlines() if line.startswith("Images"))
    assert report["docker_summary"]["images"]["count"] == int(images[1]) == 4
    assert (report["docker_summary"]["images"]["size_bytes"], images[2]) == (22000, "22kB")
    assert (report["docker_summary"]["images"]["reclaimable_bytes"], images[3]) == (22000, "22kB (100%)")
    free = int(there.host.must(["df", "--output=avail", "--block-size=1", "/var/lib/docker"]).split()[1])
    assert abs(report["free_disk_bytes"] - free) < 2**30
    assert report["unmeasured"] == {}


@pytest.mark.req("H65")
@pytest.mark.req("D2")
def test_a_clean_up_over_ssh_takes_exactly_the_labelled_dangling_images(
    host: Host, there: Installed, client: docker.DockerClient, operator: User, approver: User
) -> None:
    going = {an_image(client, f"labelled {number}", labelled=True) for number in range(3)}
    an_image(client, "unlabelled")
    an_image(client, "tagged", tag="ci/app:1", labelled=True)
    before = image_ids(client)

    change = applied(DANGLING, host, operator, approver)

    assert change.status == Change.Status.COMPLETED, change.sentence
    assert outcomes(change) == ["done"] * 3
    assert image_ids(client) == before - going
    assert change.actual_bytes == change.predicted_bytes == 3 * 2000
    assert there.host.must(["cat", "/var/lib/launchplane/fencing_token"]).strip() == str(change.fencing_token)
    told = AuditRecord.objects.filter(key=str(change.pk), kind=DANGLING).order_by("seq")
    assert list(told.values_list("status", flat=True)) == ["planned", "planned", "completed"]


@pytest.mark.req("H45")
def test_what_the_hosts_administrator_keeps_stays_whoever_approved(
    host: Host, there: Installed, client: docker.DockerClient, operator: User, approver: User
) -> None:
    image = an_image(client, "labelled", labelled=True)
    path = "/etc/launchplane/host.json"
    told = json.loads(there.host.must(["cat", path]))
    told["docker"]["keep"] = {"image": [image]}
    there.host.must(["sh", "-c", f"cat > {path}"], stdin=json.dumps(told))

    change = applied(DANGLING, host, operator, approver)

    there.host.must(["rm", path])
    assert outcomes(change) == ["skipped"]
    assert "host.json keeps" in change.steps.get().detail
    assert image in image_ids(client)


def test_a_machine_is_read_as_far_as_its_administrator_allows(host: Host) -> None:
    facts = read_machine_of(host, MachineQuestion(host.docker_root, ("/srv/runners", "/etc"), ()))
    assert {disk.path for disk in facts.disks} == {"/", "/var/lib/docker", "/srv/runners"}
    assert facts.runner_roots is None
    assert "/etc" in facts.unmeasured["runner_roots"]
    assert facts.runner_processes == ()


@pytest.mark.req("H18")
def test_a_job_that_runs_there_is_seen_between_two_items_and_none_of_this_machine(
    host: Host, there: Installed, client: docker.DockerClient
) -> None:
    there.host.must(["cp", "/usr/bin/sleep", "/srv/runners/Runner.Worker"])
    there.host.must(["systemd-run", "--unit=a-job", "--uid=admin", "/srv/runners/Runner.Worker", "303"])
    _inventory, readings = looking.glance(host)
    there.host.must(["systemctl", "stop", "a-job"])
    there.host.must(["rm", "/srv/runners/Runner.Worker"])
    assert [(found.name, found.user) for found in readings.runner_processes or ()] == [("Runner.Worker", "admin")]
    assert looking.glance(host)[1].runner_processes == ()


@pytest.mark.req("H23")
def test_a_plan_says_as_whom_and_by_which_way_a_host_over_ssh_is_changed(
    host: Host, client: docker.DockerClient, operator: User
) -> None:
    an_image(client, "labelled", labelled=True)
    boundary = planned(DANGLING, host, operator).planned().boundary
    assert (boundary.user, boundary.through) == ("root", f"launchplane-docker, over ssh to {host.ssh_target}")
