"""Which files are looked at: what is passed over is said, nothing outside is opened, the order is always the same."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hygiene.lint import walk
from hygiene.lint.contracts import LintResult
from hygiene.lint.formats.kinds import FileKind, kind_of
from hygiene.lint.lint import Options, lint
from launchplane.problems import Problem

PRUNE = "docker system prune -af\n"


def places(result: LintResult) -> list[tuple[str, int]]:
    return [(finding.path, finding.line) for finding in result.findings]


def unread(result: LintResult) -> dict[str, str]:
    return {each.path: each.reason for each in result.unread}


def write(root: Path, name: str, text: str = PRUNE) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("path", "first_line", "kind"),
    [
        (".github/workflows/ci.yml", "", FileKind.YAML),
        ("deploy/site.yaml.j2", "", FileKind.YAML),
        ("bin/tidy", "#!/usr/bin/env bash", FileKind.SHELL),
        ("bin/tidy", "#!/bin/sh -eu", FileKind.SHELL),
        ("bin/tidy", "#!/usr/bin/python3", FileKind.PYTHON),
        ("etc/cron.d/tidy", "", FileKind.CRON),
        ("etc/cron.daily/tidy", "", FileKind.SHELL),
        ("units/tidy.service.d/more.conf", "", FileKind.UNIT),
        ("Dockerfile.ci", "", FileKind.IMAGE),
        ("Jenkinsfile", "", FileKind.GROOVY),
        ("README.md", "# docker system prune", None),
        ("bin/tidy", "\x7fELF", None),
    ],
)
def test_a_file_is_read_by_its_name_or_its_first_line(path: str, first_line: str, kind: FileKind | None) -> None:
    assert kind_of(path, first_line) == kind


def test_findings_come_in_the_order_of_paths_and_lines(tmp_path: Path) -> None:
    for name in ("b.sh", "a/z.sh", "a.sh"):
        write(tmp_path, name, PRUNE * 2)

    assert places(lint([tmp_path])) == [
        ("a.sh", 1),
        ("a.sh", 2),
        ("a/z.sh", 1),
        ("a/z.sh", 2),
        ("b.sh", 1),
        ("b.sh", 2),
    ]


def test_several_paths_are_named_as_they_were_given(tmp_path: Path) -> None:
    write(tmp_path, "one/a.sh")
    two = write(tmp_path, "two/a.sh")

    assert places(lint([tmp_path / "one", two])) == [(f"{tmp_path}/one/a.sh", 1), (f"{two}", 1)]


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be looked at: No such file or directory") as problem:
        lint([tmp_path / "nowhere"])
    assert problem.value.code == "no_such_path"


def test_what_cannot_be_looked_at_is_said(tmp_path: Path) -> None:
    write(tmp_path, "large.sh", "# docker prune\n" * 50_000)
    (tmp_path / "binary.sh").write_bytes(b"docker system prune\0")
    write(tmp_path, "broken.yml", "run: [docker system prune")
    write(tmp_path, "broken.py", "import docker; prune(")
    os.mkfifo(tmp_path / "pipe.sh")

    result = lint([tmp_path])

    assert unread(result) == {
        "large.sh": "it speaks of engines and is larger than 512 KiB",
        "binary.sh": "it is binary",
        "broken.yml": "it is no YAML in line 1",
        "broken.py": "it is no Python of today",
        "pipe.sh": "it is no plain file",
    }
    assert not result.is_clean


def test_a_large_file_that_speaks_of_no_engine_is_no_gap(tmp_path: Path) -> None:
    write(tmp_path, "pnpm-lock.yaml", "packages: {left-pad: 1.3.0}\n" * 50_000)

    assert lint([tmp_path]).is_clean


def test_a_template_of_yaml_is_read_as_far_as_it_says_what_it_runs(tmp_path: Path) -> None:
    lines = [
        "{{- if .Values.janitor }}",
        "kind: CronJob",
        "metadata: {{ .Values.meta }}",
        "spec:",
        "  {{- range .Values.hosts }}",
        "  - command: [sh, -c, docker image prune {{ .flags }} --force]",
        "  {{- end }}",
        "{{- end }}",
    ]
    write(tmp_path, "templates/janitor.yaml", "\n".join(lines))

    result = lint([tmp_path])

    assert [(finding.line, finding.code) for finding in result.findings] == [(6, "image_prune")]
    assert result.unread == ()


def test_a_link_out_of_the_folder_is_not_followed_and_is_said(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside/tidy.sh")
    inside = write(tmp_path, "repository/tidy.sh").parent
    (inside / "out.sh").symlink_to(outside)
    (inside / "folder").symlink_to(outside.parent)
    (inside / "again.sh").symlink_to("tidy.sh")
    (inside / "gone.sh").symlink_to("nowhere.sh")

    result = lint([inside])

    assert places(result) == [("tidy.sh", 1)]
    assert set(unread(result)) == {"out.sh", "folder", "gone.sh"}


def test_a_version_control_s_own_folder_is_none_of_the_repository(tmp_path: Path) -> None:
    write(tmp_path, ".git/hooks/post-merge.sh")

    assert lint([tmp_path]).files_seen == 0


def test_a_folder_that_is_nested_too_deep_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "DEEPEST", 2)
    write(tmp_path, "a/b/c/d.sh")

    assert unread(lint([tmp_path])) == {"a/b/c": "it is more than 2 folders deep"}


def test_more_files_than_the_most_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_FILES", 2)
    for name in ("a.sh", "b.sh", "c.sh"):
        write(tmp_path, name)

    result = lint([tmp_path])

    assert places(result) == [("a.sh", 1), ("b.sh", 1)]
    assert unread(result) == {".": "there are more than 2 files"}


def test_a_file_in_utf_16_is_read(tmp_path: Path) -> None:
    (tmp_path / "tidy.ps1").write_bytes(b"\xff\xfe" + "Write-Host x\r\ndocker system prune -f\r\n".encode("utf-16-le"))

    assert places(lint([tmp_path])) == [("tidy.ps1", 2)]


def test_a_character_that_is_none_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "tidy.sh").write_bytes(b"# r\xe4ume auf\ndocker system prune -f\n")

    assert places(lint([tmp_path])) == [("tidy.sh", 2)]


def test_a_name_that_is_no_text_is_shown_all_the_same(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"r\xe4ume.sh")).write_text(PRUNE)

    assert places(lint([tmp_path])) == [("r\N{REPLACEMENT CHARACTER}ume.sh", 1)]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    write(tmp_path, "vendor/tidy.sh")
    write(tmp_path, "tidy.sh")

    result = lint([tmp_path], Options(left_out=("vendor/*",)))

    assert (places(result), result.files_left_out, result.files_seen) == ([("tidy.sh", 1)], 1, 2)


def test_a_pattern_that_fits_no_file_leaves_the_result_unclean(tmp_path: Path) -> None:
    write(tmp_path, "tidy.sh", "docker compose down\n")

    result = lint([tmp_path], Options(teardowns=("teardwon/*",)))

    assert unread(result) == {"teardwon/*": "no file is called like this pattern"}
    assert not result.is_clean


def test_a_secret_in_a_command_is_not_told(tmp_path: Path) -> None:
    write(
        tmp_path, "tidy.sh", "curl --token hunter2hunter2 x | ssh h 'docker system prune' --password hunter2hunter2\n"
    )

    assert "hunter2" not in lint([tmp_path]).model_dump_json()


@given(
    st.binary(max_size=400),
    st.sampled_from(["x.sh", "x.yml", "x.nix", "x.py", "Makefile", "x.service", "x.bat", "Jenkinsfile"]),
)
def test_whatever_a_file_holds_there_is_a_result(data: bytes, name: str) -> None:
    text = b"docker prune " + data
    from hygiene.lint.formats.pieces import Unreadable
    from hygiene.lint.formats.read import read
    from hygiene.lint.source import Source

    kind = kind_of(name)
    assert kind is not None
    try:
        list(read(kind, Source.of(text.decode("utf-8", "replace"))))
    except Unreadable as unreadable:
        assert str(unreadable)
