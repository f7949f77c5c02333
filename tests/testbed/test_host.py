"""The disposable host is what it says: a machine with systemd, sudo, sshd and Docker, and nothing of it stays."""

import subprocess
from pathlib import Path

import pytest

from launchplane.hosts.command import run
from launchplane.sandbox.dockerd import PrivateEngine
from tests.testbed import image
from tests.testbed.host import BRIDGE, DisposableHost, booted

pytestmark = pytest.mark.testbed


def test_systemd_is_its_first_process_and_no_unit_failed(disposable: DisposableHost) -> None:
    assert disposable.must(["cat", "/proc/1/comm"]) == "systemd\n"
    assert disposable.must(["systemctl", "is-system-running"]) == "running\n"
    assert disposable.must(["systemctl", "--failed", "--no-legend", "--plain"]) == ""


def test_a_unit_can_be_written_started_and_taken_away(disposable: DisposableHost) -> None:
    unit = "[Service]\nExecStart=/usr/bin/sleep infinity\nUser=admin\n"
    disposable.must(["tee", "/etc/systemd/system/sleeper.service"], stdin=unit)
    disposable.must(["systemctl", "daemon-reload"])
    disposable.must(["systemctl", "start", "sleeper"])
    assert disposable.must(["systemctl", "show", "--value", "--property=ActiveState", "sleeper"]) == "active\n"
    assert "sleeper.service" in disposable.must(["sh", "-c", "cat /proc/$(pidof sleep)/cgroup"])

    disposable.must(["systemctl", "stop", "sleeper"])
    disposable.must(["rm", "/etc/systemd/system/sleeper.service"])
    disposable.must(["systemctl", "daemon-reload"])
    assert disposable.must(["systemctl", "show", "--value", "--property=LoadState", "sleeper"]) == "not-found\n"


def test_sshd_answers_with_the_pinned_key(disposable: DisposableHost) -> None:
    seen = run(["ssh-keyscan", "-t", "ed25519", disposable.address], timeout_seconds=20)
    assert seen.stdout == f"{disposable.address} {disposable.host_key}\n"


def test_its_administrator_becomes_root_by_sudo(disposable: DisposableHost) -> None:
    as_admin = ["runuser", "--user", disposable.user, "--"]
    assert disposable.must([*as_admin, "id", "--user"]) == "1000\n"
    assert disposable.must([*as_admin, "sudo", "--non-interactive", "id", "--user"]) == "0\n"


def test_its_own_docker_runs_a_container(disposable: DisposableHost) -> None:
    folder = "/tmp/busybox"
    disposable.must(["install", "-D", "/usr/bin/busybox", f"{folder}/bin/busybox"])
    disposable.must(["sh", "-c", f"tar -C {folder} -c . | docker import - busybox"])
    assert disposable.must(["docker", "run", "--rm", "--network=none", "busybox", "busybox", "echo", "in"]) == "in\n"
    disposable.must(["docker", "image", "rm", "busybox"])
    disposable.must(["rm", "-r", folder])


def test_it_has_the_engine_and_buildx_that_lanes_need(disposable: DisposableHost) -> None:
    version, api = disposable.must(
        ["docker", "version", "--format", "{{.Server.Version}} {{.Server.APIVersion}}"]
    ).split()
    assert (version.split(".")[0], api) == ("26", "1.45")
    assert "github.com/docker/buildx" in disposable.must(["docker", "buildx", "version"])


def test_it_reaches_this_machine_and_no_other(disposable: DisposableHost) -> None:
    routes = disposable.must(["ip", "-4", "route"]).splitlines()
    assert not [route for route in routes if route.startswith("default")]
    assert disposable.must(["busybox", "ping", "-c", "1", disposable.gateway])
    assert run(["ip", "-4", "-oneline", "address"], timeout_seconds=10).stdout.count(f" {disposable.gateway}/") == 1


def volumes(engine: PrivateEngine) -> set[Path]:
    return set((engine.data_root / "volumes").glob("*/_data"))


def test_each_boot_is_another_machine_and_leaves_nothing(
    disposable: DisposableHost, testbed_engine: PrivateEngine
) -> None:
    before = volumes(testbed_engine)
    with booted(testbed_engine) as other:
        assert volumes(testbed_engine) > before
        assert other.address != disposable.address
        assert other.host_key != disposable.host_key
        for command in (["cat", "/etc/machine-id"], ["docker", "info", "--format", "{{.ID}}"]):
            assert other.must(command) != disposable.must(command)
    assert f" {other.gateway}/" not in run(["ip", "-4", "-oneline", "address"], timeout_seconds=10).stdout
    assert other.container_id not in run(["find", "/sys/fs/cgroup", "-type", "d"], timeout_seconds=60).stdout
    assert not other.identity.exists()
    assert volumes(testbed_engine) == before


def test_after_a_reboot_it_has_what_was_on_its_disk_and_nothing_else(another_disposable: DisposableHost) -> None:
    another_disposable.must(["touch", "/run/gone", "/var/kept"])
    another_disposable.must(["sh", "-c", "sleep 302 &"])

    another_disposable.reboot()

    assert another_disposable.run(["ls", "/run/gone", "/var/kept"]).stdout == "/var/kept\n"
    assert another_disposable.run(["pgrep", "--full", "^sleep 302$"]).returncode == 1
    seen = run(["ssh-keyscan", "-t", "ed25519", another_disposable.address], timeout_seconds=20)
    assert seen.stdout == f"{another_disposable.address} {another_disposable.host_key}\n"


def test_a_machine_on_which_a_unit_failed_does_not_count_as_up(disposable: DisposableHost) -> None:
    disposable.run(["systemd-run", "--unit=broken", "--wait", "false"])
    with pytest.raises(RuntimeError, match=r"degraded.*broken\.service"):
        disposable.wait_until_up()
    disposable.must(["systemctl", "reset-failed", "broken"])
    disposable.wait_until_up()


def test_the_bridge_of_a_run_that_was_killed_goes_with_the_next_boot(testbed_engine: PrivateEngine) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    left = f"{BRIDGE}{ended.pid}-1"
    assert run(["ip", "link", "add", left, "type", "bridge"], timeout_seconds=10).returncode == 0
    with booted(testbed_engine):
        assert not Path("/sys/class/net", left).exists()


def test_what_goes_in_decides_under_which_name_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = image.key()
    monkeypatch.setattr(image, "PACKAGES", (*image.PACKAGES, "strace"))
    assert image.key() != before


def test_it_is_made_once() -> None:
    path = image.image_tar()
    inode = path.stat().st_ino
    assert image.image_tar().stat().st_ino == inode
