"""What else prunes on a host: units, crontabs, scripts, on a file tree of the test's own."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onhost.machine.crontabs import jobs
from onhost.machine.limits import Limits
from onhost.machine.prune_words import MAX_QUOTED, logical_lines, prune_in
from onhost.machine.prunes import read_prunes
from onhost.machine.survey import Prune
from onhost.machine.units import commands

UNITS = "etc/systemd/system"


def write(root: Path, path: str, text: str, *, mode: int = 0o644) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


def enable(root: Path, unit: str, *, target: str = "timers.target") -> None:
    link = root / UNITS / f"{target}.wants" / unit
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(f"/{UNITS}/{unit}")


def found(root: Path) -> list[Prune]:
    survey = read_prunes(Limits(5), root=str(root))
    assert survey.unread == []
    return survey.found


@pytest.mark.req("H62")
@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("docker system prune -af", "docker system prune -af"),
        (
            "/usr/bin/docker --host unix:///x image prune --all --force",
            "docker --host unix:///x image prune --all --force",
        ),
        ("docker volume prune -f; echo done", "docker volume prune -f"),
        ("docker builder   prune --keep-storage 10GB", "docker builder prune --keep-storage 10GB"),
        ("docker buildx --builder ci prune -f", "docker buildx --builder ci prune -f"),
        ("podman system prune -f && true", "podman system prune -f"),
        ("docker container prune -f", "docker container prune -f"),
        ("docker rmi $(docker images -qf dangling=true)", "docker rmi $(docker images -qf dangling=true)"),
        ("docker image rm `docker images -q`", "docker image rm `docker images -q`"),
        ("docker images -q | xargs -r docker rmi -f", "xargs -r docker rmi -f"),
        ('/bin/sh -c "docker system prune -f"', "docker system prune -f"),
    ],
)
def test_a_pruning_command_is_recognised_and_quoted(line: str, command: str) -> None:
    assert prune_in(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "docker ps",
        "docker rmi my/image:1",
        "docker network prune -f",
        "git remote prune origin",
        "docker compose up; git prune",
        "docker image ls | xargs echo",
        "docker-prune-report",
    ],
)
def test_other_commands_are_not(line: str) -> None:
    assert prune_in(line) is None


@given(st.text(), st.text(st.characters(exclude_characters=";&|\"'`")))
def test_whatever_stands_around_a_prune_it_is_found_and_the_quote_is_one_short_line(before: str, after: str) -> None:
    quoted = prune_in(f"{before[:200]} docker system prune {after}")

    assert quoted is not None
    assert quoted.isprintable()
    assert len(quoted) <= MAX_QUOTED


@given(
    st.lists(
        st.sampled_from(["docker ", "rm ", "xargs ", "prune ", "$", "(", "`", "a b ", "\\", "\n", "#"]), max_size=400
    )
)
def test_no_line_can_hang_the_matcher(parts: list[str]) -> None:
    for line in logical_lines("".join(parts) * 20):
        prune_in(line)


@pytest.mark.req("H62")
def test_a_timer_is_the_source_and_its_link_says_that_it_is_enabled(tmp_path: Path) -> None:
    write(tmp_path, f"{UNITS}/clean.service", "[Service]\nExecStart=/usr/bin/docker system prune -af\n")
    write(tmp_path, f"{UNITS}/clean.timer", "[Timer]\nOnCalendar=daily\n")
    enable(tmp_path, "clean.timer")

    assert found(tmp_path) == [Prune("/etc/systemd/system/clean.timer", "docker system prune -af", True)]


def test_a_timer_without_a_link_is_not_enabled(tmp_path: Path) -> None:
    write(tmp_path, "usr/lib/systemd/system/docker-prune.service", "ExecStart=docker image prune -f")
    write(tmp_path, "usr/lib/systemd/system/nightly.timer", "[Timer]\nUnit=docker-prune.service\n")

    assert found(tmp_path) == [Prune("/usr/lib/systemd/system/nightly.timer", "docker image prune -f", False)]


def test_a_service_without_a_timer_is_its_own_source(tmp_path: Path) -> None:
    write(tmp_path, f"{UNITS}/boot-clean.service", "ExecStartPre=-/bin/sh -c 'docker volume prune -f'")
    enable(tmp_path, "boot-clean.service", target="multi-user.target")

    assert found(tmp_path) == [Prune("/etc/systemd/system/boot-clean.service", "docker volume prune -f", True)]


def test_an_instance_of_a_template_enables_it(tmp_path: Path) -> None:
    write(tmp_path, f"{UNITS}/prune@.service", "ExecStart=docker system prune")
    write(tmp_path, f"{UNITS}/prune@.timer", "[Timer]\n")
    enable(tmp_path, "prune@daily.timer")

    assert found(tmp_path) == [Prune("/etc/systemd/system/prune@.timer", "docker system prune", True)]


@pytest.mark.req("P11")
def test_a_local_unit_replaces_the_distributions_own_and_a_masked_one_is_off(tmp_path: Path) -> None:
    for name in ("docker-prune", "masked"):
        write(tmp_path, f"usr/lib/systemd/system/{name}.service", "ExecStart=docker system prune -f")
    write(tmp_path, f"{UNITS}/docker-prune.service", "ExecStart=/bin/true")
    (tmp_path / UNITS / "masked.service").symlink_to("/dev/null")

    assert found(tmp_path) == []


def test_a_drop_in_counts_and_can_take_a_command_back(tmp_path: Path) -> None:
    write(tmp_path, f"{UNITS}/a.service", "ExecStart=/bin/true")
    write(tmp_path, f"{UNITS}/a.service.d/more.conf", "[Service]\nExecStartPost=docker system prune")
    write(tmp_path, f"{UNITS}/b.service", "ExecStart=docker system prune")
    write(tmp_path, f"{UNITS}/b.service.d/none.conf", "[Service]\nExecStart=\nExecStart=/bin/true")

    assert [prune.source for prune in found(tmp_path)] == ["/etc/systemd/system/a.service"]


def test_an_alias_of_a_unit_is_not_a_second_one(tmp_path: Path) -> None:
    write(tmp_path, "usr/lib/systemd/system/a.service", "ExecStart=docker system prune")
    (tmp_path / UNITS).mkdir(parents=True)
    (tmp_path / UNITS / "alias.service").symlink_to("/usr/lib/systemd/system/a.service")

    assert [prune.source for prune in found(tmp_path)] == ["/usr/lib/systemd/system/a.service"]


def test_lines_of_a_unit_are_joined_and_comments_left_out() -> None:
    unit = "#ExecStart=docker system prune\n; ExecStart=x\nExecStart=docker \\\n# between\n  system \\\n  prune -f\n"

    assert [prune_in(command) for command in commands(unit)] == ["docker system prune -f"]


def test_a_script_that_a_unit_or_a_crontab_names_is_looked_into(tmp_path: Path) -> None:
    write(tmp_path, "opt/clean.sh", "#!/bin/sh\n# docker volume prune\ndocker system \\\n  prune -f\n")
    write(tmp_path, f"{UNITS}/clean.service", "ExecStart=-/opt/clean.sh --now")
    write(tmp_path, "etc/crontab", "SHELL=/bin/sh\n0 3 * * * root /opt/clean.sh > /dev/null\n")

    assert found(tmp_path) == [
        Prune("/etc/crontab", "docker system prune -f", True),
        Prune("/etc/systemd/system/clean.service", "docker system prune -f", False),
    ]


@pytest.mark.req("H62")
def test_every_place_of_cron_is_looked_at(tmp_path: Path) -> None:
    write(
        tmp_path, "etc/cron.d/docker", "17 * * * * root docker image prune -af\n#1 * * * * root docker volume prune\n"
    )
    write(tmp_path, "var/spool/cron/crontabs/deploy", "@daily docker builder prune -f\n")
    write(tmp_path, "etc/cron.weekly/docker-clean", "#!/bin/sh\ndocker system prune -f\n", mode=0o755)
    write(tmp_path, "etc/cron.daily/clean.sh", "#!/bin/sh\ndocker system prune\n", mode=0o755)
    write(tmp_path, "etc/cron.hourly/clean", "#!/bin/sh\ndocker rmi $(docker images -q)\n")

    assert found(tmp_path) == [
        Prune("/etc/cron.d/docker", "docker image prune -af", True),
        Prune("/etc/cron.daily/clean.sh", "docker system prune", False),
        Prune("/etc/cron.hourly/clean", "docker rmi $(docker images -q)", False),
        Prune("/etc/cron.weekly/docker-clean", "docker system prune -f", True),
        Prune("/var/spool/cron/crontabs/deploy", "docker builder prune -f", True),
    ]


def test_a_comment_that_ends_in_a_backslash_hides_no_job() -> None:
    assert jobs("# note \\\n1 2 * * * docker system prune\nMAILTO=root\n\n") == ["1 2 * * * docker system prune"]


@given(st.lists(st.text(st.characters(exclude_categories=("Cc", "Zl", "Zp", "Cs")))))
def test_every_line_of_a_crontab_that_is_no_comment_or_setting_is_a_job(lines: list[str]) -> None:
    assert len(jobs("\n".join(lines))) <= len(lines)
    assert jobs("\n".join([*lines, "* * * * * docker system prune"]))[-1] == "* * * * * docker system prune"


def test_a_machine_without_any_of_these_folders_has_nothing_that_prunes(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_a_place_that_is_no_readable_text_is_named(tmp_path: Path) -> None:
    write(tmp_path, "etc/crontab", "x" * 2_000_000)

    assert read_prunes(Limits(5), root=str(tmp_path)).unread == [f"{tmp_path}/etc/crontab: larger than 1048576 bytes"]
