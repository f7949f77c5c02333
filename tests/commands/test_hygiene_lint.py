"""`manage.py hygiene lint`: what people and programs are told, and how it ends."""

from pathlib import Path

import pytest

from audits.models import AuditRecord
from hygiene.models import ProductRepository
from tests.factories import a_host
from tests.shell import manage

pytestmark = pytest.mark.django_db
FINDING = ["code", "path", "line", "command", "why", "instead"]
RESULT = ["findings", "allowed", "unread", "files_seen", "files_read", "files_left_out", "truncated"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "tidy.sh").write_text("#!/bin/sh\ndocker system prune -af\n")
    return tmp_path


@pytest.mark.req("H60")
def test_each_finding_has_its_place_its_command_why_and_what_to_do(folder: Path) -> None:
    outcome = manage("hygiene", "lint", str(folder))

    lines = outcome.out.splitlines()
    assert outcome.code == 3
    assert lines[0] == "ci/tidy.sh:2: system_prune: docker system prune -af"
    assert lines[1].startswith("    It removes whatever no container uses at this moment, whoever it belongs to")
    assert lines[2].startswith("    Instead: Remove what this run made")
    assert lines[3] == "1 finding, 0 allowed, 0 not looked at; 1 of 1 files hold commands."


@pytest.mark.req("H60")
def test_programs_get_exactly_these_fields(folder: Path) -> None:
    outcome = manage("hygiene", "lint", str(folder), "--json")

    assert outcome.code == 3
    assert list(outcome.json) == RESULT
    assert list(outcome.json["findings"][0]) == FINDING


def test_sarif_is_printed_alone(folder: Path) -> None:
    outcome = manage("hygiene", "lint", str(folder), "--sarif", "--repository", "acme/website")

    assert outcome.code == 3
    assert outcome.json["version"] == "2.1.0"


def test_nothing_found_ends_with_0(folder: Path) -> None:
    (folder / "ci" / "tidy.sh").write_text("docker compose down\n")

    assert manage("hygiene", "lint", str(folder)).code == 0


def test_what_could_not_be_looked_at_ends_with_2_and_with_findings_too_with_3(folder: Path) -> None:
    (folder / "ci" / "binary.sh").write_bytes(b"\0")
    both = manage("hygiene", "lint", str(folder))
    (folder / "ci" / "tidy.sh").unlink()
    one = manage("hygiene", "lint", str(folder))

    assert (both.code, one.code) == (3, 2)
    assert "not looked at: ci/binary.sh: it is binary." in one.out


def test_an_empty_folder_is_no_clean_repository(tmp_path: Path) -> None:
    outcome = manage("hygiene", "lint", str(tmp_path))

    assert (outcome.code, "not looked at: .: there is no file." in outcome.out) == (2, True)


def test_a_path_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    outcome = manage("hygiene", "lint", str(tmp_path / "nowhere"), "--json")

    assert (outcome.code, outcome.error["code"]) == (2, "no_such_path")


@pytest.mark.req("P16")
def test_paths_that_may_remove_no_image_are_told_of(folder: Path) -> None:
    (folder / "ci" / "tidy.sh").write_text("docker rmi shop\n")

    assert manage("hygiene", "lint", str(folder)).code == 0
    outcome = manage("hygiene", "lint", str(folder), "--no-image-removal", "ci/*")

    assert (outcome.code, outcome.out.splitlines()[0]) == (
        3,
        "ci/tidy.sh:1: image_removed_in_teardown: docker rmi shop",
    )


def test_what_an_operator_allows_is_shown(folder: Path) -> None:
    (folder / "ci" / "tidy.sh").unlink()
    job = "jobs: {a: {runs-on: ubuntu-latest, steps: [run: docker system prune]}}\n"
    (folder / "ci.yml").write_text(job)

    outcome = manage("hygiene", "lint", str(folder), "--throwaway", "ubuntu-latest")

    assert outcome.code == 0
    assert outcome.out.splitlines()[0] == (
        "allowed ci.yml:1: system_prune: docker system prune: It runs on ubuntu-latest, a machine that nobody shares."
    )


@pytest.mark.req("H61")
def test_the_result_is_kept_for_a_repository_and_its_hosts(folder: Path) -> None:
    a_host("ci-1")

    words = ("--repository", "acme/website", "--host", "ci-1", "--revision", "4f1c2d9")
    outcome = manage("hygiene", "lint", str(folder), *words)

    repository = ProductRepository.objects.get()
    assert outcome.code == 3
    assert outcome.out.splitlines()[-1] == "Kept as the last result of acme/website, which uses ci-1."
    assert (repository.name, repository.findings_count, repository.revision) == ("acme/website", 1, "4f1c2d9")
    assert AuditRecord.objects.get(kind="repository.lint").actor_name.startswith("the shell of ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--repository", "acme/website", "--host", "nowhere"), "no_such_host"),
        (("--repository", "../etc"), "bad_repository"),
        (("--host", "ci-1"), "repository_missing"),
        (("--revision", "x"), "repository_missing"),
    ],
)
def test_what_cannot_be_kept_is_said_before_anything_is_looked_at(
    folder: Path, words: tuple[str, ...], code: str
) -> None:
    outcome = manage("hygiene", "lint", str(folder), "--json", *words)

    assert (outcome.code, outcome.error["code"]) == (2, code)
    assert not ProductRepository.objects.exists()


def test_a_name_of_a_file_cannot_forge_a_line(folder: Path) -> None:
    (folder / "x\nci.sh").write_text("docker system prune\n")

    assert "x⟨LF⟩ci.sh:1: system_prune: docker system prune" in manage("hygiene", "lint", str(folder)).out.splitlines()
