"""`manage.py hosts add|list|check`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hygiene.models import Budget, Protection
from launchplane.hosts.models import Contact, Host
from launchplane.schedule.models import Schedule
from tests.faults import EngineSocket, plain_engine
from tests.installation import Installation
from tests.shell import Outcome, manage

pytestmark = pytest.mark.django_db

FIELDS = ["name", "connection", "docker_url", "engine_id", "docker_root", "ssh_target", "approved", "sandbox"]


@pytest.fixture
def engine() -> Iterator[EngineSocket]:
    with EngineSocket(plain_engine()) as engine:
        yield engine


def add(name: str, engine: EngineSocket, *options: str) -> Outcome:
    return manage("hosts", "add", name, "--docker-url", engine.url, *options)


def test_adding_pins_the_engine_and_says_so(engine: EngineSocket) -> None:
    outcome = add("ci-1", engine)

    assert (outcome.code, outcome.out) == (0, "ci-1 is added, with engine PLAIN:ENGINE pinned.\n")
    host = Host.objects.get()
    assert (host.engine_id, host.docker_root, host.approved) == ("PLAIN:ENGINE", "/var/lib/docker", False)


def test_adding_gives_the_host_its_rules_and_its_schedule(engine: EngineSocket) -> None:
    add("ci-1", engine)

    assert Protection.objects.count() == 5
    assert set(Budget.objects.values_list("mode", flat=True)) == {"report"}
    assert list(Schedule.objects.filter(enabled=True).values_list("job", flat=True)) == ["observe", "observe-lanes"]


def test_a_host_can_be_approved_when_it_is_added(engine: EngineSocket) -> None:
    assert add("ci-1", engine, "--approve", "--json").json["approved"] is True


def test_the_json_of_a_host_has_these_fields(engine: EngineSocket) -> None:
    added = add("ci-1", engine, "--json").json

    assert list(added) == FIELDS
    assert manage("hosts", "list", "--json").json == [added]
    checked = manage("hosts", "check", "ci-1", "--json").json
    assert checked == added | {"engine_version": "28.2.2", "api_version": "1.50", "checks": []}


@pytest.mark.parametrize(
    "name", ["../etc", "/etc/passwd", "a/b", "..", "a..b", ".", "-a", "A", "", "a b", "a\n", "ü", "x" * 65, "%2e%2e"]
)
def test_a_name_that_is_a_path_or_no_slug_is_refused_before_the_engine_is_asked(
    engine: EngineSocket, name: str
) -> None:
    outcome = manage("hosts", "add", "--docker-url", engine.url, "--json", "--", name)

    assert (outcome.code, outcome.error["code"]) == (2, "invalid_host")
    assert outcome.err.startswith("name: ")
    assert engine.requests == []
    assert not Host.objects.exists()


@pytest.mark.req("H58")
def test_the_same_engine_cannot_be_added_under_two_names(engine: EngineSocket) -> None:
    add("ci-1", engine)

    outcome = add("ci-2", engine, "--json")

    assert (outcome.code, outcome.error["code"]) == (4, "engine_known")
    assert outcome.err == "This engine is already here as 'ci-1': a host has one owner."
    assert Host.objects.count() == 1


def test_the_same_name_cannot_be_added_twice(engine: EngineSocket) -> None:
    add("ci-1", engine)

    outcome = add("ci-1", engine)

    assert (outcome.code, outcome.err) == (2, "name: Host with this Name already exists.")


@pytest.mark.parametrize(
    "url",
    [
        "tcp://127.0.0.1:2375",
        "http://localhost",
        "ssh://ci@host",
        "unix://relative",
        "/var/run/docker.sock",
        "",
        "unix:///run/docker\n.sock",
        f"unix:///{'x' * 107}",
    ],
)
def test_an_address_that_is_no_unix_socket_is_refused(url: str) -> None:
    outcome = manage("hosts", "add", "ci-1", "--docker-url", url)

    assert outcome.code == 2
    assert outcome.err.startswith("docker_url: ")


@pytest.mark.parametrize(
    ("path", "code"), [("/nowhere/x", "no_socket"), ("/etc/passwd/x", "no_socket"), ("/etc/passwd", "not_listening")]
)
def test_an_address_where_no_engine_can_be_is_said(path: str, code: str) -> None:
    outcome = manage("hosts", "add", "ci-1", "--docker-url", f"unix://{path}", "--json")

    assert (outcome.code, outcome.error["code"]) == (2, code)
    assert path in outcome.err


def test_a_machine_that_does_not_answer_by_ssh_is_not_added() -> None:
    outcome = manage("hosts", "add", "ci-1", "--connection", "ssh", "--ssh", "ci@127.0.0.1:9", "--json")

    assert (outcome.code, outcome.error["code"]) == (2, "ssh_unreachable")
    assert not Host.objects.exists()


def test_a_target_for_ssh_without_saying_so_is_refused() -> None:
    outcome = manage("hosts", "add", "ci-1", "--ssh", "ci@runner", "--json")

    assert (outcome.code, outcome.error["code"]) == (2, "invalid_host")
    assert "--connection ssh" in outcome.err
    assert not Host.objects.exists()


@pytest.mark.parametrize("forged", [{"ID": "x" * 129}, {"DockerRootDir": "/" + "x" * 400}], ids=["id", "root"])
def test_an_engine_whose_answers_do_not_fit_cannot_be_added(forged: dict[str, str]) -> None:
    with EngineSocket(plain_engine(info=forged)) as engine:
        outcome = add("ci-1", engine, "--json")

    assert (outcome.code, outcome.error["code"]) == (2, "invalid_host")
    assert "Ensure this value has at most" in outcome.err
    assert not Host.objects.exists()


def test_without_a_host_the_list_says_how_to_add_one() -> None:
    assert "No host yet. Add one: manage.py hosts add NAME" in manage("hosts", "list").out
    assert manage("hosts", "list", "--json").json == []


def test_checking_says_which_docker_answers(engine: EngineSocket) -> None:
    add("ci-1", engine)

    outcome = manage("hosts", "check", "ci-1")

    assert outcome.code == 0
    assert outcome.out == "ci-1: its pinned engine answers: Docker 28.2.2, API 1.50.\n"


@pytest.mark.req("X14")
def test_the_list_says_since_when_a_host_is_unreachable_and_why(engine: EngineSocket, tmp_path: Path) -> None:
    add("ci-1", engine)
    Host.objects.update(docker_url=f"unix://{tmp_path}/gone.sock")

    assert [manage("hosts", "check", "ci-1").code for _ in range(2)] == [2, 2]

    assert [contact.reachable for contact in Contact.objects.all()] == [False, True]
    assert "There is no socket at" in " ".join(manage("hosts", "list").out.split())


@pytest.mark.parametrize("words", [("hosts", "check"), ("hygiene", "report"), ("hygiene", "inventory")])
def test_a_host_that_is_not_there_is_named(words: tuple[str, str]) -> None:
    outcome = manage(*words, "nowhere", "--json")

    assert (outcome.code, outcome.error["code"]) == (2, "no_such_host")
    assert outcome.err == "There is no host 'nowhere'. `manage.py hosts list` shows those there are."


@pytest.mark.parametrize(
    "words", [["hosts"], ["hosts", "erase"], ["hosts", "add"], ["hygiene", "inventory", "x", "--kind", "pod"]]
)
def test_wrong_usage_ends_with_2(tmp_path: Path, words: list[str]) -> None:
    done = Installation(tmp_path).run(*words)

    assert done.returncode == 2
    assert "usage: manage.py" in done.stderr


def test_a_database_that_was_never_prepared_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = Installation(tmp_path).run("hosts", "list", "--json")

    assert done.returncode == 1
    assert "script/server prepares it." in done.stderr
    assert "Traceback" not in done.stderr
    assert '"code": "database_unusable"' in done.stdout
