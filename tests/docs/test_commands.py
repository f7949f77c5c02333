"""Every command that a document shows is run: here as it stands, or by the test that is named for it."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launchplane.sandbox.dockerd import PrivateEngine
from tests.docs.reading import PROJECT, Block, blocks, commands, name_of, runs_itself

SCRIPTS = "tests/docs/test_scripts.py"
SERVER = "tests/server/test_server.py"
REQUIREMENTS = "tests/docs/test_requirements.py"
PROOF = "tests/proof/test_command.py::test_a_later_measurement_is_held_against_an_earlier_one"
WARM, LIVE = "tests/proof/test_sequence.py", "tests/proof/lane/test_live.py"
MEASURE = "script/proof engine unix:///var/run/docker.sock registry.example.org/ci/base:1"
HOSTS = ".venv/bin/python manage.py hosts"
INSTALL = "tests/hosts/remote/test_install.py::test_from_nothing_it_brings_everything_about_and_again_nothing"
OVER_SSH = "tests/hosts/remote/test_over_ssh.py::test_a_host_is_added_over_ssh_with_its_engine_and_its_key_pinned"
CHECK = "tests/hosts/remote/test_check.py::test_a_lane_that_was_installed_from_its_record_can_be_asked"
ADMIN, TARGET = "--admin you@ci-2.example.org", "--connection ssh --ssh launchplane@ci-2.example.org"
CURL = "curl --fail --silent --header @authorization https://launchplane.example.org/v1/hosts"
EVIDENCE_CURL = (
    "curl --fail-with-body --silent --header @authorization --header 'Content-Type: application/json' --header "
    "'Idempotency-Key: nightly-2026-01-08-planned' --data-binary @planned.json "
    "https://launchplane.example.org/v1/evidence/runner-host-hygiene/audits"
)
# What test_commands.py cannot run by itself, and what does.
RUN_ELSEWHERE = {
    "script/server": f"{SCRIPTS}::test_script_server_starts_and_ends",
    "LAUNCHPLANE_SANDBOX=always script/server": f"{SERVER}::test_a_sandbox_is_made_served_kept_and_ended",
    "export LAUNCHPLANE_DATABASE_URL='postgres://launchplane:password@localhost/launchplane'": (
        f"{SCRIPTS}::test_the_server_runs_on_postgresql_as_shown"
    ),
    "script/bootstrap": f"{SCRIPTS}::test_script_server_starts_and_ends",
    "script/bootstrap --lock": f"{SCRIPTS}::test_locking_again_keeps_the_locks",
    "script/bootstrap --lock --upgrade": f"{SCRIPTS}::test_locking_with_upgrade_writes_both_locks",
    "script/requirements": f"{REQUIREMENTS}::test_check_tells_which_lines_are_out_of_date",
    "script/requirements --check": f"{REQUIREMENTS}::test_check_tells_which_lines_are_out_of_date",
    "script/bench inventory": f"{SCRIPTS}::test_the_bench_measures_an_engine",
    "script/bench dangling": f"{SCRIPTS}::test_the_bench_measures_removals",
    "script/bench audit": f"{SCRIPTS}::test_the_bench_measures_records",
    "script/bench export": f"{SCRIPTS}::test_the_bench_measures_an_export",
    "script/bench lanes": f"{SCRIPTS}::test_the_bench_plans_lanes",
    f"{MEASURE} --json >before.json": PROOF,
    f"{MEASURE} --before before.json": PROOF,
    f"{HOSTS} install ci-2 {ADMIN}": INSTALL,
    f"{HOSTS} install ci-2 --apply {ADMIN}": INSTALL,
    f"{HOSTS} add ci-2 {TARGET} --fingerprint SHA256:the-one-that-you-saw-there": OVER_SSH,
    f"{HOSTS} check ci-2": CHECK,
    CURL: "tests/api/test_doors_curl.py::test_a_token_in_a_file_calls_as_shown",
    EVIDENCE_CURL: "tests/api/test_evidence_in_curl.py::test_evidence_in_a_file_is_handed_in_as_shown",
    "script/proof warm": f"{WARM}::test_pull_build_and_service_stay_warm_through_approved_clean_ups",
    "script/proof lane": f"{LIVE}::test_a_lane_lives_and_goes_on_a_disposable_host",
}
# These run this test.
RUN_US = {"script/test", "script/test --quick"}
SHELL = [block for block in blocks("sh") if runs_itself(block)]
SOCKET = "unix:///var/run/docker.sock"
PASSWORD = "a-password-for-a-test\n"
PEOPLE = """
from django.contrib.auth.models import Group
from hygiene.models import Budget
from lanes.models import Lane
from launchplane.access.acting import acting_as
from launchplane.access.models import User
from launchplane.access.people import FIRST_START
from launchplane.hosts.models import Host
with acting_as(FIRST_START):
    for name, group in (("operator", "Operators"), ("approver", "Approvers")):
        User.objects.create_user(name, password="a-password-for-a-test").groups.add(Group.objects.get(name=group))
Host.objects.update(approved=True, hygiene_enabled=True, managed_label="launchplane.managed=true")
Budget.objects.filter(scope="build_cache").update(mode="apply")
for host in Host.objects.all():
    lane = {"name": "website", "scope": "acme/website", "registration_root": "/srv/runners", "service_user": "website"}
    Lane.objects.create(host=host, labels=["launchplane", "launchplane-managed"], **lane)
"""
NEWEST = """
from django.utils import timezone
from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.changes import approvals, freeze, lock, planning
from launchplane.changes.models import Change
from launchplane.hosts.models import Host
people = [User.objects.get(username=name) for name in ("operator", "approver")]
operator, approver = (Principal.person(user, source="web") for user in people)
change = Change.objects.filter(status="awaiting_approval").first()
"""
# What has to have happened in the browser before a block can be run. A freeze keeps the engine as it is.
BEFORE = {
    "changes apply": f"""{NEWEST}
approvals.approve(change, by=approver, digest=change.digest, reason="looked", password_at=timezone.now())
freeze.freeze(None, by=approver, reason="a test")
""",
    "changes resolve": f"""{NEWEST}
change = planning.plan_change("hygiene.dangling", Host.objects.get(), by=operator)
Change.objects.filter(pk=change.pk).update(status="in_doubt", fencing_token=lock.next_token(change.host))
""",
    # the database comes from a backup
    "audits rebuild": """
import shutil
from pathlib import Path
from django.conf import settings
from django.db import connection
from launchplane.access.authenticate import shell
from launchplane.access.models import User
from launchplane.changes import freeze
if not User.objects.filter(username="admin").exists():
    User.objects.create_superuser("admin", password="a-password-for-a-test")
path = Path(settings.DATABASES["default"]["NAME"])
with connection.cursor() as cursor:
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
connection.close()
shutil.copy(path, "backup")
freeze.freeze(None, by=shell(), reason="after the backup")
connection.close()
for left in (path, *path.parent.glob(f"{path.name}-*")):
    left.unlink()
shutil.copy("backup", path)
""",
    # the evidence folder is gone
    "audits adopt": """
from pathlib import Path
from django.conf import settings
if (folder := Path(settings.EVIDENCE_DIR)).exists():
    folder.rename(folder.with_name("evidence-gone"))
""",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, planted_engine: PrivateEngine) -> dict[str, Path]:
    """A folder for each document, in which its blocks are run one after the other as in a clone."""
    documents = {block.document for block in SHELL}
    adding = {block.document for block in SHELL if "hosts add" in block.text}
    states = {adds: a_state(tmp_path_factory, planted_engine, adds_a_host=adds) for adds in (True, False)}
    return {name: a_clone(tmp_path_factory.mktemp("clone"), of=states[name in adding]) for name in documents}


def a_state(folders: pytest.TempPathFactory, engine: PrivateEngine, *, adds_a_host: bool) -> Path:
    """A state with people in it; and with the host `sandbox`, unless a document adds a host itself."""
    clone = a_clone(folders.mktemp("state"))
    preparation = [".venv/bin/python manage.py migrate --verbosity 0"]
    if not adds_a_host:
        preparation.append(f".venv/bin/python manage.py hosts add sandbox --docker-url {engine.url}")
        preparation.append(".venv/bin/python manage.py hygiene report sandbox >first || test $? = 3")
    preparation.append(in_django(PEOPLE))
    done = run("set -e\n" + "\n".join(preparation), clone, engine)
    assert done.returncode == 0, done.stderr
    return clone / "var"


def a_clone(folder: Path, *, of: Path | None = None) -> Path:
    """What a clone has that commands need; with a copy of a state, if one is given."""
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("manage.py", "docs"):
        (folder / name).symlink_to(PROJECT / name)
    if of is not None:
        shutil.copytree(of, folder / "var")
    return folder


def in_django(code: str) -> str:
    """A command that runs a piece of Python with the models at hand."""
    return f".venv/bin/python manage.py shell -c {shlex.quote(code)}"


def run(script: str, folder: Path, engine: PrivateEngine) -> subprocess.CompletedProcess[str]:
    """Run a piece of shell in `folder`, with answers to questions for a password and our engine at the usual socket."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("LAUNCHPLANE_")}
    settings["LAUNCHPLANE_VAR"] = str(folder / "var")
    return subprocess.run(
        ["sh", "-c", script.replace(SOCKET, engine.url)],
        cwd=folder,
        env=settings,
        input=PASSWORD * 2,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        start_new_session=True,
    )


@pytest.mark.engine
@pytest.mark.parametrize("block", SHELL, ids=lambda block: f"{block.document}-{commands(block)[0][:60]}")
def test_commands_run_as_shown(block: Block, places: dict[str, Path], planted_engine: PrivateEngine) -> None:
    for command, code in BEFORE.items():
        if command in block.text:
            prepared = run(in_django(code), places[block.document], planted_engine)
            assert prepared.returncode == 0, prepared.stderr
    done = run(block.text, places[block.document], planted_engine)
    # 3: the sandbox needs attention, as it should
    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr
    assert "CommandError" not in done.stderr
    assert "no report" not in done.stdout


def test_each_command_of_the_documents_is_run_somewhere() -> None:
    shown = {command for block in blocks("sh") if not runs_itself(block) for command in commands(block)}
    assert shown - RUN_US == set(RUN_ELSEWHERE) & shown, "a command that no test runs"
    assert set(RUN_ELSEWHERE) <= shown, "a command that no document shows any more"


@pytest.mark.parametrize("node", sorted(set(RUN_ELSEWHERE.values())))
def test_what_is_said_to_run_a_command_is_there(node: str) -> None:
    path, _, test = node.partition("::")
    assert re.search(rf"^def {test}\(", (PROJECT / path).read_text(), re.MULTILINE)


def test_commands_stand_in_blocks_that_say_so() -> None:
    """A fence without a language, or with another name for a shell, would hide its commands from these tests."""
    for document in (PROJECT / "docs").rglob("*.md"):
        fences = re.findall(r"^```(\w*)$", document.read_text(), re.MULTILINE)
        assert set(fences[::2]) <= {"sh", "text", "ini", "json"}, name_of(document)
        assert set(fences[1::2]) <= {""}, name_of(document)
