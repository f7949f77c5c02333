"""`script/proof engine`: what it prints, and its exit codes."""

import json
from pathlib import Path

import docker
import pytest

from hygiene.proof.__main__ import main
from launchplane.sandbox.dockerd import PrivateEngine
from tests.proof.things import an_image_in
from tests.registry import Registry

pytestmark = pytest.mark.engine

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def image(client: docker.DockerClient, registry: Registry) -> str:
    return an_image_in(registry, client, "command")


@pytest.fixture
def words(proof_engine: PrivateEngine, image: str, registry: Registry) -> list[str]:
    return [proof_engine.url, image, "--access-log", str(registry.log)]


@pytest.mark.req("P21")
def test_one_measurement_is_printed_in_sentences(words: list[str], capsys: Captured) -> None:
    assert main(words) == 0

    said = capsys.readouterr().out
    assert "  cold pull: " in said
    assert "layers loaded: 3, already there: 0, shared with another image: 0; manifest checks: 2." in said
    assert "layers loaded: 0, already there: 3, shared with another image: 0; manifest checks: 1." in said
    assert "build: not measured. No build was given." in said


@pytest.mark.req("H33")
def test_a_later_measurement_is_held_against_an_earlier_one(words: list[str], tmp_path: Path, capsys: Captured) -> None:
    main([*words, "--json"])
    (tmp_path / "before.json").write_text(capsys.readouterr().out)

    assert main([*words, "--before", str(tmp_path / "before.json"), "--json"]) == 0

    proof = json.loads(capsys.readouterr().out)
    assert proof["verdict"]["outcome"] == "holds"
    assert proof["after"]["cold"] is None


@pytest.mark.req("H33")
def test_an_image_that_went_meanwhile_ends_with_4(
    words: list[str], image: str, client: docker.DockerClient, tmp_path: Path, capsys: Captured
) -> None:
    main([*words, "--json"])
    (tmp_path / "before.json").write_text(capsys.readouterr().out)
    client.images.remove(image)

    assert main([*words, "--before", str(tmp_path / "before.json")]) == 4

    assert "was gone after the clean-up: it had to be pulled anew" in capsys.readouterr().out


def test_an_engine_that_is_not_there_ends_with_2(capsys: Captured) -> None:
    assert main(["unix:///nowhere/docker.sock", "app:1", "--json"]) == 2

    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["code"] == "no_socket"
    assert "There is no socket" in captured.err


def test_a_file_that_is_no_measurement_is_refused_before_anything_is_pulled(
    words: list[str], image: str, client: docker.DockerClient, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "other.json").write_text("{}")

    assert main([*words, "--before", str(tmp_path / "other.json")]) == 2

    assert "is not what this prints with --json" in capsys.readouterr().err
    assert [found for found in client.images.list() if image in found.tags] == []
