"""Disk, logs, registry logins, and the one reading that holds them together."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchplane.canonical import canonical
from launchplane.hosts.command import run
from launchplane.hosts.contracts import MachineFacts, MachineQuestion
from launchplane.hosts.machine import read_machine
from onhost.machine.disk import read_disk
from onhost.machine.limits import Limits, NotMeasured
from onhost.machine.logs import Log, read_logs
from onhost.machine.registries import Login, logins_of, read_logins
from tests.hosts.nobody import as_nobody, needs_root, open_to_all

SECRET = "s3cr3t-word"
ID = "a" * 64
NO_TEXT = os.fsdecode(b"\xfe")


def test_a_disk_is_counted_as_df_counts() -> None:
    total, used, free, percent = run(
        ["df", "-B1", "--output=size,used,avail,pcent", "/"], timeout_seconds=5
    ).stdout.split()[-4:]

    disk = read_disk("/")

    assert disk.total_bytes == int(total)
    assert abs(disk.used_bytes - int(used)) < 50_000_000
    assert abs(disk.free_bytes - int(free)) < 50_000_000
    assert abs(disk.used_percent - int(percent.rstrip("%"))) <= 1


@pytest.mark.req("H8")
@pytest.mark.parametrize(("path", "why"), [("/no/such/folder", "no such file"), ("/proc", "has no size")])
def test_a_disk_that_cannot_be_measured_is_a_reason(path: str, why: str) -> None:
    with pytest.raises(NotMeasured, match=why):
        read_disk(path)


def test_logs_of_both_drivers_are_summed_for_each_container(tmp_path: Path) -> None:
    folder = tmp_path / "docker" / "containers" / ID
    (folder / "local-logs").mkdir(parents=True)
    for name in (f"{ID}-json.log", f"{ID}-json.log.1.gz", "local-logs/container.log", "config.v2.json"):
        (folder / name).write_bytes(b"x" * 8192)
    (tmp_path / "docker" / "containers" / "not-a-container").mkdir()

    assert read_logs("/docker", Limits(5), root=str(tmp_path)) == (Log(ID, 3 * 8192),)


@pytest.mark.req("P19")
def test_a_login_has_registry_and_user_and_never_the_secret() -> None:
    auth = base64.b64encode(f"robot:{SECRET}".encode()).decode()
    configuration = {
        "auths": {"https://index.docker.io/v1/": {"auth": auth}, "ghcr.io": {"identitytoken": SECRET}, "store.io": {}},
        "credsStore": "secretservice",
        "credHelpers": {"ecr.example": "ecr-login", "ghcr.io": "gh"},
    }

    logins = logins_of(configuration, "/root/.docker/config.json")

    assert [(login.registry, login.username) for login in logins] == [
        ("https://index.docker.io/v1/", "robot"),
        ("ghcr.io", None),
        ("store.io", None),
        ("ecr.example", None),
    ]
    assert SECRET not in repr(logins)


@pytest.mark.req("P19")
@pytest.mark.parametrize(
    ("plain", "user"), [(SECRET, None), (f":{SECRET}", None), (f"me:{SECRET}", "me"), ("me:", "me")]
)
def test_an_auth_without_a_colon_is_no_user_name(plain: str, user: str | None) -> None:
    auth = base64.b64encode(plain.encode()).decode()

    assert [login.username for login in logins_of({"auths": {"ghcr.io": {"auth": auth}}}, "x")] == [user]


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_logins_or_a_reason(configuration: object) -> None:
    try:
        assert all(isinstance(login, Login) for login in logins_of(configuration, "x"))
    except NotMeasured as problem:
        assert str(problem).startswith("x: ")


def test_a_broken_configuration_is_a_reason_that_does_not_quote_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(f'{{"auths": {{"a": {{"auth": "{SECRET}"')

    with pytest.raises(NotMeasured, match="not JSON") as caught:
        read_logins(("/config.json",), Limits(5), root=str(tmp_path))

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_client_without_configuration_has_no_logins(tmp_path: Path) -> None:
    assert read_logins(("/root/.docker",), Limits(5), root=str(tmp_path)) == ()


def test_a_folder_stands_for_the_configuration_in_it(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"ghcr.io": {}}}))

    assert [login.registry for login in read_logins((str(tmp_path),), Limits(5))] == ["ghcr.io"]


@pytest.mark.req("H7")
def test_each_failed_reading_is_null_with_its_own_reason_and_the_others_stand(tmp_path: Path) -> None:
    (tmp_path / "etc" / "cron.d").mkdir(parents=True)

    facts = read_machine(MachineQuestion("/docker", ("/srv",), ("/root/.docker",)), root=str(tmp_path))

    assert set(facts.unmeasured) == {
        "disk:/docker",
        "disk:/srv",
        "container_logs",
        "runner_processes",
        "runner_roots",
    }
    assert facts.container_logs is None
    assert facts.runner_roots is None
    assert facts.runner_processes is None
    assert facts.competing_prunes == ()
    assert facts.registry_logins == ()
    assert [disk.path for disk in facts.disks] == ["/"]


def test_a_real_machine_is_read_in_full(tmp_path: Path) -> None:
    (tmp_path / "docker" / "containers").mkdir(parents=True)
    (tmp_path / "runners").mkdir()

    facts = read_machine(MachineQuestion(f"{tmp_path}/docker", (f"{tmp_path}/runners",), ()))

    assert facts.unmeasured == {}
    assert [disk.path for disk in facts.disks] == [f"{tmp_path}/docker", "/", f"{tmp_path}/runners"]
    assert facts.container_logs == ()
    assert facts.runner_roots is not None
    assert facts.runner_roots[0].work == ()


def test_a_deadline_that_has_passed_leaves_reasons() -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)

    facts = read_machine(MachineQuestion("/", (), (), deadline=past))

    assert facts.runner_processes is None
    assert "not finished within 0 s" in facts.unmeasured["runner_processes"]


@needs_root
def test_what_a_user_may_not_read_is_a_reason_with_the_path(tmp_path: Path) -> None:
    for folder in ("var/spool/cron/crontabs", "docker", "srv/a/_work/private"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder).chmod(0o700)
    open_to_all(tmp_path)

    with as_nobody():
        facts = read_machine(MachineQuestion("/docker", ("/srv",), ()), root=str(tmp_path))

    assert (facts.runner_roots, facts.container_logs, facts.competing_prunes) == (None, None, None)
    assert facts.unmeasured["container_logs"] == "/docker/containers: permission denied"
    assert facts.unmeasured["runner_roots"] == "/srv/a/_work/private: permission denied"
    assert facts.unmeasured["competing_prunes"] == "/var/spool/cron/crontabs: permission denied"


def stored(question: MachineQuestion, root: Path) -> MachineFacts:
    """What is read, after the way through canonical JSON that every observation takes."""
    return MachineFacts.model_validate_json(canonical(read_machine(question, root=str(root))))


def test_a_program_in_a_folder_without_a_name_in_text_is_stored(tmp_path: Path) -> None:
    for pid in (1, 20):
        (tmp_path / "proc" / str(pid)).mkdir(parents=True)
        (tmp_path / "proc" / str(pid) / "cmdline").touch()
    (tmp_path / "proc" / "20" / "exe").symlink_to(f"/home/{NO_TEXT}/bin/Runner.Worker")

    (worker,) = stored(MachineQuestion("/", (), ()), tmp_path).runner_processes or ()

    assert (worker.name, worker.folder) == ("Runner.Worker", "/home/?")


def test_a_runner_in_a_folder_without_a_name_in_text_is_stored(tmp_path: Path) -> None:
    (tmp_path / "srv" / NO_TEXT / "_work").mkdir(parents=True)

    (root,) = stored(MachineQuestion("/", ("/srv",), ()), tmp_path).runner_roots or ()

    assert [folder.path for folder in root.work] == ["/srv/?/_work"]


def test_a_reason_that_names_a_folder_without_a_name_in_text_is_stored(tmp_path: Path) -> None:
    (tmp_path / "srv" / NO_TEXT).mkdir(parents=True)
    (tmp_path / "srv" / NO_TEXT / "_work").symlink_to("elsewhere")

    facts = stored(MachineQuestion("/", ("/srv",), ()), tmp_path)

    assert facts.unmeasured["runner_roots"] == "/srv/?/_work is a symbolic link; not followed"


@pytest.mark.parametrize(("written", "kept"), [(r"\ud800", "?"), (r"a\u0000b", "a\ufffdb")])
def test_a_registry_that_is_no_text_is_stored(tmp_path: Path, written: str, kept: str) -> None:
    (tmp_path / "config.json").write_text(f'{{"auths":{{"{written}":{{}}}}}}')

    (login,) = stored(MachineQuestion("/", (), ("/config.json",)), tmp_path).registry_logins or ()

    assert login.registry == kept


def test_files_that_say_they_are_larger_than_can_be_written_down_are_a_reason(tmp_path: Path) -> None:
    work = tmp_path / "srv" / "a" / "_work"
    work.mkdir(parents=True)
    for number in range(1025):  # of eight TiB each, which take no room
        with (work / str(number)).open("wb") as file:
            file.truncate(2**43)

    facts = stored(MachineQuestion("/", ("/srv",), ()), tmp_path)

    assert facts.runner_roots is None
    assert facts.unmeasured["runner_roots"].startswith("/srv/a/_work: apparent_bytes is beyond 2^53")
