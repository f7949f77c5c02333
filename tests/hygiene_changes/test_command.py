"""`hygiene plan`: the plan as a program and as a person reads it, and the codes that scripts rely on."""

import json

import docker
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from launchplane.changes.models import Change
from launchplane.hosts.models import Host
from tests.engine_things import an_image, image_ids
from tests.hygiene_changes.ways import DANGLING

pytestmark = [pytest.mark.engine, pytest.mark.django_db]

FIELDS = {
    "id", "kind", "host", "subject", "status", "plan_status", "digest", "requester", "reason", "deadline", "steps",
    "blockers", "gates", "next_steps", "declared_calls", "predicted_bytes", "actual_bytes", "approvals", "audit_seqs",
}  # fmt: skip


@pytest.mark.req("H20")
@pytest.mark.req("H23")
def test_a_plan_is_printed_as_a_document_and_nothing_is_changed(
    client: docker.DockerClient, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    image = an_image(client, "labelled", labelled=True)

    call_command("hygiene", "plan", host.name, "dangling", "--json")

    printed = json.loads(capsys.readouterr().out)
    assert printed.keys() >= FIELDS
    assert (printed["kind"], printed["status"], printed["plan_status"]) == (DANGLING, "planned", "ready")
    assert [(step["verb"], step["target"]) for step in printed["steps"]] == [("remove-image", image)]
    assert printed["declared_calls"] == [{"name": "remove_image", "at_most": 1}]
    assert image_ids(client) == {image}


@pytest.mark.req("H21")
def test_a_blocked_plan_says_why_and_what_next_and_ends_with_3(
    client: docker.DockerClient, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    Host.objects.filter(pk=host.pk).update(approved=False)

    with pytest.raises(SystemExit, match="3"):
        call_command("hygiene", "plan", host.name, "hygiene.retire", "--item", "volume:nowhere")

    said = capsys.readouterr().out
    assert "! host_not_approved: chris-testing is not approved for changes." in said
    assert "! item_not_on_host: volume:nowhere is not on this host." in said
    assert "next: Whoever may change the host's settings can approve it there." in said
    assert Change.objects.get().status == Change.Status.BLOCKED


@pytest.mark.req("D7")
def test_nothing_to_do_is_said(client: docker.DockerClient, host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("hygiene", "plan", host.name, "dangling")

    assert "Nothing to do: no unused dangling image carries ci.managed=true." in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["everything"], ["dangling", "--item", "image:x"]])
def test_what_makes_no_sense_is_refused(client: docker.DockerClient, host: Host, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("hygiene", "plan", host.name, *arguments)

    assert refused.value.returncode == 2


@pytest.mark.req("H20")
@pytest.mark.req("H22")
def test_a_plan_that_nobody_requested_is_not_applied(client: docker.DockerClient, host: Host) -> None:
    image = an_image(client, "labelled", labelled=True)
    call_command("hygiene", "plan", host.name, "dangling")

    with pytest.raises(CommandError, match="Only an approved change is applied") as refused:
        call_command("changes", "apply", str(Change.objects.get().pk), "--idempotency-key", "k")

    assert refused.value.returncode == 4
    assert image_ids(client) == {image}


@pytest.mark.req("H22")
@pytest.mark.req("H55")
def test_without_a_key_nothing_is_applied(client: docker.DockerClient, host: Host) -> None:
    image = an_image(client, "labelled", labelled=True)
    call_command("hygiene", "plan", host.name, "dangling")

    with pytest.raises(CommandError, match="--idempotency-key"):
        call_command("changes", "apply", str(Change.objects.get().pk))

    assert image_ids(client) == {image}
