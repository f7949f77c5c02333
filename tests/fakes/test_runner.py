"""The stand-in runner by itself: its package, and how it registers and takes that back."""

import io
import os
import stat
import subprocess
import tarfile

import pytest
import requests

from onhost.package import check
from tests.fakes.github import GithubServer
from tests.fakes.runner.package import package
from tests.fakes.unpacked import NAME, SCOPE, Unpacked
from tests.lanes.asking import asking

# many processes: no test for while one writes code
pytestmark = pytest.mark.testbed


def test_its_package_is_the_same_bytes_each_time() -> None:
    assert package().sha256 == package().sha256
    assert package("2.328.0").sha256 != package().sha256


def test_its_package_is_one_that_a_host_unpacks() -> None:
    with tarfile.open(fileobj=io.BytesIO(package().content)) as archive:
        members = check(archive)
    assert {"config.sh", "run.sh", "bin/Runner.Listener", "bin/Runner.Worker"} <= set(members)


def test_it_is_offered_for_download_as_github_offers_its_own(server: GithubServer) -> None:
    server.offer(package())
    (found,) = asking(server.url).downloads(SCOPE)
    assert (found.os, found.architecture, found.sha256_checksum) == ("linux", "x64", package().sha256)
    assert requests.get(found.download_url, timeout=10).content == package().content


def test_it_registers_with_a_token_from_its_environment(runner: Unpacked, server: GithubServer) -> None:
    done = runner.configure()
    assert done.returncode == 0, done.stdout
    assert runner.files() == {".runner", ".credentials", ".credentials_rsaparams"}
    (found,) = server.runners.values()
    assert (found.name, found.labels, found.online) == (NAME, ["mine"], False)
    assert stat.S_IMODE((runner.folder / ".credentials_rsaparams").stat().st_mode) == 0o600
    text = (runner.folder / ".runner").read_text(encoding="utf-8-sig")
    for word in (f'"agentId": {found.id}', f'"agentName": "{NAME}"', f'"gitHubUrl": "{server.url}/{SCOPE}"'):
        assert word in text


def test_it_keeps_its_token_nowhere(runner: Unpacked) -> None:
    token = runner.token("registration")
    done = runner.script("config.sh", *runner.options(), token=token)
    assert token not in done.stdout
    assert not [path for path in runner.folder.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused for being root")
@pytest.mark.parametrize("script", ["config.sh", "run.sh"])
def test_it_refuses_root(runner: Unpacked, script: str) -> None:
    path = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run([str(runner.folder / script)], env=path, capture_output=True, text=True, check=False)
    assert "Must not run" in done.stdout
    assert runner.files() == set()


def test_it_refuses_when_it_is_configured(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    before = len(server.calls)
    done = runner.script("config.sh", *runner.options(), token="A" * 29)
    assert (done.returncode, len(server.calls)) == (1, before)
    assert "already configured" in done.stdout


@pytest.mark.parametrize("more", [["--token", "A" * 29], ["--no-such"], []], ids=" ".join)
def test_it_registers_with_no_token_that_others_can_read(runner: Unpacked, more: list[str]) -> None:
    assert runner.script("config.sh", *runner.options(), *more).returncode == 1
    assert runner.files() == set()


def test_a_token_that_is_not_good_leaves_nothing(runner: Unpacked, server: GithubServer) -> None:
    done = runner.script("config.sh", *runner.options(), token="A" * 29)
    assert (done.returncode, runner.files(), server.runners) == (1, set(), {})
    assert "Http response code: 404" in done.stdout


def test_a_name_that_is_taken_is_left_alone(runner: Unpacked, server: GithubServer) -> None:
    other = server.add_runner(SCOPE, NAME.upper(), "theirs")
    done = runner.configure()
    assert (done.returncode, runner.files()) == (1, set())
    assert "A runner exists with the same name" in done.stdout
    assert server.runners == {other.id: other}


def test_whoever_replaces_is_found_out(runner: Unpacked, server: GithubServer) -> None:
    other = server.add_runner(SCOPE, NAME, "theirs")
    assert runner.configure("--replace").returncode == 0
    assert [call.path for call in server.calls if call.identity == "runner"] == ["/_runner/replace"]
    assert list(server.runners) == [other.id]


def test_it_takes_its_registration_back(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    done = runner.script("config.sh", "remove", token=runner.token("remove"))
    assert (done.returncode, runner.files(), server.runners) == (0, set(), {})


def test_a_remove_token_that_is_not_good_changes_nothing(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    done = runner.script("config.sh", "remove", token=runner.token("registration"))
    assert (done.returncode, len(runner.files()), len(server.runners)) == (1, 3, 1)


def test_a_registration_that_is_gone_is_forgotten(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    server.runners.clear()
    done = runner.script("config.sh", "remove", token=runner.token("remove"))
    assert (done.returncode, runner.files()) == (0, set())
    assert "Does not exist. Skipping Removing runner from the server" in done.stdout


def test_it_can_be_forgotten_here_alone(runner: Unpacked, server: GithubServer) -> None:
    runner.configure()
    before = len(server.calls)
    done = runner.script("config.sh", "remove", "--local")
    assert (done.returncode, runner.files(), len(server.calls)) == (0, set(), before)
    assert len(server.runners) == 1
