"""`hosts install` on the disposable host: from nothing, again, and where something is in the way."""

import json
from pathlib import Path

import pytest
from pytest import MonkeyPatch
from pytest_django import Settings

from audits.models import AuditRecord
from tests.hosts.remote.installed import NAME, install, states
from tests.shell import manage
from tests.testbed.host import DisposableHost

pytestmark = [pytest.mark.testbed, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _own_key(settings: Settings, tmp_path: Path) -> None:
    settings.VAR = tmp_path / "var"
    settings.SSH_KEY = settings.VAR / "keys" / "ssh_key"


@pytest.mark.req("H23")
def test_it_shows_everything_and_touches_nothing_without_a_target() -> None:
    outcome = manage("hosts", "install", NAME)
    assert outcome.code == 0
    for said in (
        "user launchplane: home /var/lib/launchplane/home, shell /bin/sh, no password",
        "file /usr/local/lib/launchplane/launchplane-unit: root, 755, sha256 ",
        "file /etc/sudoers.d/launchplane: root, 440, sha256 ",
        'NOPASSWD: /usr/local/lib/launchplane/launchplane-unit ""',
        'restrict,command="/usr/local/lib/launchplane/launchplane-dispatch" ssh-ed25519 ',
        f'"host": "{NAME}"',
        "sudo -n -- /usr/bin/python3 -I -",
    ):
        assert said in outcome.out, said
    assert not AuditRecord.objects.exists()


@pytest.mark.req("M58")
def test_from_nothing_it_brings_everything_about_and_again_nothing(
    another_disposable: DisposableHost, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    host = another_disposable
    (one, two, three, four) = (tmp_path / name for name in ("1", "2", "3", "4"))
    for folder in (one, two, three, four):
        folder.mkdir()

    assert "missing" in states(looked := install(host, one, monkeypatch, "--json"))
    assert looked.code == 3
    assert host.run(["test", "-e", "/etc/launchplane"]).returncode == 1

    made = install(host, two, monkeypatch, "--apply", "--json")
    assert (made.code, states(made)) == (0, {"made", "there"})
    assert states(install(host, three, monkeypatch, "--json")) == {"there"}
    assert states(install(host, four, monkeypatch, "--apply", "--json")) == {"there"}

    for path, told in {
        "/etc/launchplane/host.json": "root 644",
        "/etc/sudoers.d/launchplane": "root 440",
        "/var/lib/launchplane": "root 755",
        "/var/lib/launchplane/lock": "root 600",
        "/var/lib/launchplane/session": "launchplane 600",
        "/var/lib/launchplane/home/.ssh/authorized_keys": "root 644",
        "/usr/local/lib/launchplane/launchplane-dispatch": "root 755",
    }.items():
        assert host.must(["stat", "-c", "%U %a", path]) == f"{told}\n", path
    assert host.must(["getent", "shadow", "launchplane"]).split(":")[1] == "*"
    host.must(["visudo", "--check", "--strict"])
    kinds = [(record.kind, record.status) for record in AuditRecord.objects.filter(host=NAME).order_by("seq")]
    assert kinds == [("host.install", "planned"), ("host.install", "completed")] * 2


def test_what_an_older_version_left_is_taken_away_and_what_was_changed_put_right(
    another_disposable: DisposableHost, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    host = another_disposable
    (one, two) = (tmp_path / "1", tmp_path / "2")
    one.mkdir()
    two.mkdir()
    assert install(host, one, monkeypatch, "--apply").code == 0
    programs = "/usr/local/lib/launchplane"
    host.must(["mkdir", f"{programs}/onhost/__pycache__"])
    host.must(["touch", f"{programs}/onhost/old.py", f"{programs}/onhost/__pycache__/x.pyc"])
    host.must(["sh", "-c", f"echo '# mine' >> {programs}/onhost/door.py; chmod 777 {programs}/launchplane-unit"])

    assert install(host, two, monkeypatch, "--apply", "--json").code == 0
    assert host.run(["ls", f"{programs}/onhost/old.py", f"{programs}/onhost/__pycache__"]).returncode != 0
    assert "# mine" not in host.must(["cat", f"{programs}/onhost/door.py"])
    assert host.must(["stat", "-c", "%a", f"{programs}/launchplane-unit"]) == "755\n"


def test_an_administrators_own_numbers_and_keeps_stay(
    another_disposable: DisposableHost, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    host = another_disposable
    (one, two) = (tmp_path / "1", tmp_path / "2")
    one.mkdir()
    two.mkdir()
    assert install(host, one, monkeypatch, "--apply").code == 0
    told = json.loads(host.must(["cat", "/etc/launchplane/host.json"]))
    told["docker"]["hourly"]["remove_image"] = 7
    told["docker"]["keep"] = {"volume": ["pg_*"]}
    told["packages"] = ["0" * 64]
    host.must(["tee", "/etc/launchplane/host.json"], stdin=json.dumps(told))
    assert install(host, two, monkeypatch, "--apply").code == 0
    now = json.loads(host.must(["cat", "/etc/launchplane/host.json"]))
    assert (now["docker"]["hourly"]["remove_image"], now["docker"]["keep"]) == (7, {"volume": ["pg_*"]})
    assert now["packages"] == ["0" * 64]


def test_a_host_json_that_cannot_be_read_is_not_written_over(
    another_disposable: DisposableHost, tmp_path: Path, monkeypatch: MonkeyPatch
) -> None:
    another_disposable.must(["mkdir", "/etc/launchplane"])
    another_disposable.must(["tee", "/etc/launchplane/host.json"], stdin='{"docker": {"keep": {"volume": 5}}')
    outcome = install(another_disposable, tmp_path, monkeypatch, "--apply", "--json")
    assert (outcome.code, outcome.error["code"]) == (2, "host_json_unusable")
    assert another_disposable.run(["test", "-e", "/usr/local/lib/launchplane"]).returncode == 1


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("useradd --create-home launchplane", "there is a user launchplane already"),
        ("ln -s /tmp /usr/local/lib/launchplane", "/usr/local/lib/launchplane is there, and is no folder"),
        ("chmod 777 /var/lib", "/var/lib does not belong to root alone"),
        ("mkdir /etc/launchplane; chown admin /etc/launchplane", "/etc/launchplane does not belong to root alone"),
        ("mkdir /etc/launchplane; mkfifo /etc/launchplane/host.json", "is no ordinary file"),
        ("useradd --system --home-dir /var/lib/launchplane/home -G docker -s /bin/sh launchplane", "is in docker"),
        ("useradd --system --home-dir /var/lib/launchplane/home -g docker -s /bin/sh launchplane", "is in docker"),
        ("useradd -d /var/lib/launchplane/home -s /bin/sh -p '' launchplane", "may have a password"),
    ],
)
def test_it_stops_at_what_is_in_the_way_and_says_so(
    another_disposable: DisposableHost, tmp_path: Path, monkeypatch: MonkeyPatch, spoil: str, why: str
) -> None:
    another_disposable.must(["sh", "-c", spoil])
    outcome = install(another_disposable, tmp_path, monkeypatch, "--apply", "--json")
    assert (outcome.code, outcome.json["error"]["code"]) == (4, "install_refused")
    assert why in outcome.err
    assert another_disposable.run(["test", "-e", "/var/lib/launchplane/home/.ssh/authorized_keys"]).returncode == 1
    assert AuditRecord.objects.filter(kind="host.install", status="failed").count() == 1


def test_an_administrator_whom_the_host_does_not_let_in_is_told_what_to_do(tmp_path: Path) -> None:
    outcome = manage("hosts", "install", NAME, "--admin", "nobody@127.0.0.1", "--apply", "--json")
    assert (outcome.code, outcome.error["code"]) == (2, "admin_ssh_failed")


def test_without_a_target_nothing_is_applied() -> None:
    assert manage("hosts", "install", NAME, "--apply", "--json").error["code"] == "admin_missing"
    for target in ("-oProxyCommand=id", "a b", "a;id"):
        outcome = manage("hosts", "install", NAME, f"--admin={target}", "--json")
        assert outcome.error["code"] == "ssh_target_invalid", target
