"""The hosts that a start brings with it."""

import pytest

from launchplane.hosts.models import Host
from launchplane.sandbox.dockerd import PrivateEngine
from launchplane.server.hosts import ensure_local_host, ensure_sandbox_host, host_name


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("ci-7.example.org", "ci-7"),
        ("Build Box_3", "build-box-3"),
        ("../etc", "local"),
        ("", "local"),
        ("sandbox", "local"),
        ("x" * 80, "x" * 64),
        ("été", "t"),
    ],
)
def test_a_machine_is_named_by_a_slug(machine: str, name: str) -> None:
    assert host_name(machine) == name


@pytest.mark.engine
@pytest.mark.django_db
def test_an_engine_is_added_once(private_engine: PrivateEngine) -> None:
    assert ensure_local_host(private_engine.url) is not None
    assert ensure_local_host(private_engine.url) is None
    assert ensure_local_host(f"unix:///../{private_engine.socket}") is None
    assert Host.objects.count() == 1


@pytest.mark.engine
@pytest.mark.django_db
def test_a_name_that_another_engine_has_is_not_taken_again(private_engine: PrivateEngine) -> None:
    first = ensure_local_host(private_engine.url)
    assert first is not None
    Host.objects.update(engine_id="another", docker_url="unix:///elsewhere.sock")
    second = ensure_local_host(private_engine.url)
    assert second is not None
    assert second.name == f"{first.name}-2"


@pytest.mark.engine
@pytest.mark.django_db
def test_the_sandbox_is_added_once_and_follows_its_folder(planted_engine: PrivateEngine) -> None:
    host = ensure_sandbox_host(planted_engine)
    assert host is not None
    assert (host.name, host.is_sandbox) == ("sandbox", True)
    Host.objects.update(docker_url="unix:///moved/docker.sock")
    assert ensure_sandbox_host(planted_engine) is None
    assert Host.objects.get().docker_url == planted_engine.url
