"""The runner's package: downloaded once, by safe redirections, and used only with the hash that GitHub told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from lanes.acts import package
from lanes.acts.fetching import architecture
from lanes.acts.package import PackageProblem, chosen, fetched
from lanes.github.parse import Download
from tests.fakes.github import GithubServer
from tests.fakes.loopback import answers
from tests.fakes.runner.package import package as standin
from tests.faults import cut_off, raw

DOWNLOADS = r"GET /(actions|_release-assets)/.*"


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[GithubServer]:
    """It offers the stand-in runner, and shows no mercy for a credential that comes along."""
    with GithubServer() as server:
        server.offer(standin())
        settings.GITHUB_API_URL, settings.VAR = server.url, tmp_path
        yield server


def offered(server: GithubServer, **different: object) -> Download:
    (only,) = server.downloads
    return Download.model_validate(only | different)


def downloads(server: GithubServer) -> int:
    return len([call for call in server.calls if "/actions/runner/" in call.path])


def refused(download: Download) -> str:
    """The code with which it is not used; nothing of it is left."""
    with pytest.raises(PackageProblem) as caught:
        fetched(download)
    return caught.value.code


def test_a_package_is_downloaded_once_and_kept_by_its_hash(server: GithubServer, tmp_path: Path) -> None:
    first, second = fetched(offered(server)), fetched(offered(server))
    assert first == second
    assert first.path.read_bytes() == standin().content
    assert first.path.name == f"{standin().sha256}.tar.gz"
    assert downloads(server) == 1
    assert first.path.stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "packages").iterdir()] == [first.path.name]


def test_a_kept_package_that_was_altered_is_downloaded_anew(server: GithubServer) -> None:
    fetched(offered(server)).path.write_bytes(b"something else")
    assert fetched(offered(server)).path.read_bytes() == standin().content
    assert downloads(server) == 2


def test_another_hash_than_was_told_is_not_used(server: GithubServer, tmp_path: Path) -> None:
    assert refused(offered(server, sha256_checksum="0" * 64)) == "package_altered"
    assert list((tmp_path / "packages").iterdir()) == []


def test_a_package_without_a_hash_is_not_used(server: GithubServer) -> None:
    with pytest.raises(PackageProblem) as caught:
        chosen([offered(server, sha256_checksum=None)], "x64")
    assert caught.value.code == "package_unverifiable"


def test_only_a_package_for_that_machine_is_used(server: GithubServer) -> None:
    assert chosen([offered(server, os="win"), offered(server)], "x64") == offered(server)
    with pytest.raises(PackageProblem):
        chosen([offered(server)], "arm64")


@pytest.mark.parametrize(("machine", "kind"), [("x86_64", "x64"), ("aarch64", "arm64"), ("armv7l", "arm")])
def test_a_machine_is_called_as_github_calls_it(machine: str, kind: str) -> None:
    assert architecture({"machine": machine}) == kind


@pytest.mark.parametrize("facts", [{}, {"machine": None}, {"machine": 64}, {"machine": "riscv64"}, {"machine": "../x"}])
def test_a_machine_that_nobody_knows_gets_no_package(facts: dict[str, str]) -> None:
    with pytest.raises(PackageProblem):
        architecture(facts)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ftp://127.0.0.1/runner.tar.gz",
        "//127.0.0.1/runner.tar.gz",
        "",
    ],
)
def test_an_address_without_tls_is_not_asked(server: GithubServer, address: str) -> None:
    assert refused(offered(server, download_url=address)) == "package_not_fetched"
    assert server.calls == []


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/x", "file:///etc/passwd", "https://[", ""])
def test_a_redirection_to_somewhere_unsafe_is_not_followed(server: GithubServer, target: str) -> None:
    server.fault(DOWNLOADS, answers(302, None, location=target), times=1)
    assert refused(offered(server)) == "package_not_fetched"


def test_redirections_in_a_circle_have_an_end(server: GithubServer) -> None:
    server.fault(DOWNLOADS, answers(302, None, location=offered(server).download_url))
    assert refused(offered(server)) == "package_not_fetched"
    assert len(server.calls) == package.MOST_HOPS


@pytest.mark.parametrize(
    "behaviour",
    [answers(404), answers(500), cut_off({"a": "b" * 1000}, after_bytes=100), raw(b"nonsense"), raw(b"")],
    ids=["404", "500", "half of it", "no HTTP", "nothing"],
)
def test_whatever_is_no_whole_package_leaves_nothing(server: GithubServer, behaviour: object, tmp_path: Path) -> None:
    server.fault(DOWNLOADS, behaviour)  # type: ignore[arg-type]  # one of the behaviours above
    assert refused(offered(server)) == "package_not_fetched"
    assert list((tmp_path / "packages").iterdir()) == []


def test_a_package_without_end_is_left(server: GithubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MOST_BYTES", 1000)
    assert refused(offered(server)) == "package_too_large"


def test_a_package_that_takes_too_long_is_left(server: GithubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "DOWNLOAD_SECONDS", -1)
    assert refused(offered(server)) == "package_not_fetched"


def test_only_the_last_few_packages_stay(server: GithubServer, tmp_path: Path) -> None:
    folder = tmp_path / "packages"
    folder.mkdir()
    for number in range(package.KEPT + 3):
        (folder / f"{number:064}.tar.gz").write_bytes(b"old")
    kept = fetched(offered(server)).path
    assert kept.exists()
    assert len(list(folder.iterdir())) == package.KEPT
