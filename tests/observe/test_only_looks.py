"""`hygiene report` sends nothing but GET and the named reads inside builders, and leaves an engine as it was (H1)."""

import json
from typing import Any

import docker
import pytest
from django.core.management import call_command

from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from onhost.engine.questions import BUILDER_READS
from tests.faults import EngineSocket, Request

pytestmark = [pytest.mark.engine, pytest.mark.django_db, pytest.mark.req("H1")]


def report_through(recorder: EngineSocket, host: Host) -> list[Request]:
    """Run `hygiene report` with `recorder` before the engine; what passed through it."""
    Host.objects.filter(pk=host.pk).update(docker_url=recorder.url)
    with pytest.raises(SystemExit, match="3"):
        call_command("hygiene", "report", host.name, "--json")
    return recorder.requests


def everything_on(client: docker.DockerClient) -> dict[str, Any]:
    """All that the engine counts, in an order of our own: the engine has none."""
    usage = client.df()
    states = {container.id: container.attrs["State"] for container in client.containers.list(all=True)}
    lists = {name: sorted(map(as_text, usage[name])) for name in ("Images", "Containers", "Volumes", "BuildCache")}
    return {"states": states, "all images": sorted(image.id for image in client.images.list(all=True)), **lists}


def as_text(entry: dict[str, Any]) -> str:
    mounts = sorted(entry.get("Mounts") or (), key=lambda mount: str(mount["Destination"]))
    return json.dumps({**entry, "Mounts": mounts, "Status": "Up 2 seconds"}, sort_keys=True)


@pytest.mark.usefixtures("capsys")
def test_a_report_sends_only_get_and_the_named_reads(host: Host, planted_engine: PrivateEngine) -> None:
    with EngineSocket(upstream=str(planted_engine.socket)) as recorder:
        requests = report_through(recorder, host)

    posts = [request for request in requests if request.method != "GET"]
    assert [request.method for request in posts] == ["POST"] * 6
    assert sorted(request.exec_argv for request in posts if request.exec_argv) == sorted(
        list(argv) for argv in BUILDER_READS.values()
    )
    started = [request for request in posts if not request.exec_argv]
    assert {request.path.split("/")[-1] for request in started} == {"start"}
    assert [json.loads(request.body) for request in started] == [{"Detach": False, "Tty": False}] * 3


@pytest.mark.usefixtures("capsys")
def test_a_report_asks_for_the_disk_usage_once_and_for_each_images_layers_once_ever(
    host: Host, planted_engine: PrivateEngine, client: docker.DockerClient
) -> None:
    with EngineSocket(upstream=str(planted_engine.socket)) as recorder:
        first = [request.path for request in report_through(recorder, host)]
        recorder.requests.clear()
        second = [request.path for request in report_through(recorder, host)]

    inspections = sorted(path for path in first if path.startswith("/images/sha256:"))
    images = sorted(image.id for image in client.images.list())
    assert first.count("/system/df") == second.count("/system/df") == 1
    assert inspections == sorted(f"/images/{image}/{what}" for image in images for what in ("json", "history"))
    assert [path for path in second if path.startswith("/images/sha256:")] == []


@pytest.mark.usefixtures("capsys")
def test_a_report_leaves_the_engine_as_it_was(
    host: Host, planted_engine: PrivateEngine, client: docker.DockerClient
) -> None:
    before = everything_on(client)

    with EngineSocket(upstream=str(planted_engine.socket)) as recorder:
        report_through(recorder, host)

    assert everything_on(client) == before
