"""Commands over ssh to a real sshd: what arrives, what comes back, and what each failure is called."""

import json
import os
import shlex
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchplane.hosts.command import run
from launchplane.hosts.errors import AnswerLost, HostUnavailable
from launchplane.hosts.ssh import Patience, SshHost, remote_command
from launchplane.hosts.ssh_target import HostKey, Target
from tests.testbed.host import DisposableHost

on_the_testbed = pytest.mark.testbed

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=1, max_size=5)
ODD = [
    "two words",
    "",
    "'",
    '"',
    'it\'s "both"',
    "line\nline\r\n",
    "tab\there",
    "back\\slash\\n",
    "$(touch /tmp/owned) `id` $HOME ${IFS}",
    "; id & id | id > /tmp/owned",
    "*",
    "~root",
    "!!",
    "# no comment",
    "-oProxyCommand=id",
    "--",
    "grün 東京 🚀 é é",
    "\x1b[31m\x07",
    "\udcff not UTF-8",
    "x" * 50_000,
]


@pytest.fixture
def host(disposable: DisposableHost) -> Iterator[SshHost]:
    """The disposable host as its administrator; what a test leaves running there is ended."""
    yield SshHost(Target(disposable.user, disposable.address), HostKey.parse(disposable.host_key), disposable.identity)
    disposable.run(["pkill", "--signal", "KILL", "--uid", disposable.user])


def new_key(folder: Path, *options: str) -> Path:
    made = run(["ssh-keygen", "-q", "-f", str(folder / "key"), "-N", "", *options], timeout_seconds=30)
    assert made.returncode == 0, made.stderr
    return folder / "key"


def unavailable(host: SshHost) -> HostUnavailable:
    """Why a command was not begun."""
    with pytest.raises(HostUnavailable) as refused:
        host.run(["touch", "/tmp/begun"], timeout_seconds=30)
    return refused.value


def lost(host: SshHost, code: str, *, timeout_seconds: float = 60) -> AnswerLost:
    """Why it is not known how a command of the shell ended."""
    with pytest.raises(AnswerLost) as failed:
        host.run(["sh", "-c", code], timeout_seconds=timeout_seconds, max_output_bytes=100_000)
    return failed.value


@on_the_testbed
def test_it_returns_status_and_both_outputs(host: SshHost) -> None:
    result = host.run(["sh", "-c", "echo out; echo err >&2; exit 3"], timeout_seconds=30)
    assert (result.returncode, result.stdout, result.stderr) == (3, "out\n", "err\n")


@on_the_testbed
def test_arguments_arrive_as_they_are(host: SshHost, disposable: DisposableHost) -> None:
    code = "import json, sys; print(json.dumps(sys.argv[1:]))"
    result = host.run(["python3", "-c", code, *ODD], timeout_seconds=30)
    assert json.loads(result.stdout) == ODD
    assert disposable.run(["test", "-e", "/tmp/owned"]).returncode == 1


@given(WORDS)
def test_a_shell_makes_the_same_words_of_what_is_sent(words: list[str]) -> None:
    argv = ["program", *words]
    assert shlex.split(remote_command(argv)) == argv


@pytest.mark.parametrize("argv", [[], [""], ["", "-c"], ["echo", "a\0b"]])
def test_a_command_without_a_program_or_with_a_nul_is_none(argv: list[str]) -> None:
    with pytest.raises(ValueError, match="needs a program"):
        remote_command(argv)


def test_a_command_that_is_too_long_for_a_program_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="standard input"):
        remote_command(["echo", "x" * 120_000])


@on_the_testbed
def test_standard_input_arrives_byte_for_byte(host: SshHost) -> None:
    sent = bytes(range(256)) * 4000
    code = "import hashlib, sys; print(hashlib.file_digest(sys.stdin.buffer, 'sha256').hexdigest())"
    there = host.run(["python3", "-c", code], timeout_seconds=30, stdin=sent).stdout
    here = run(["sha256sum"], timeout_seconds=30, stdin=sent).stdout
    assert there.strip() == here.split()[0]


@on_the_testbed
def test_nothing_of_our_environment_arrives(host: SshHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")  # Debian's client sends this and its sshd takes it
    monkeypatch.setenv("LAUNCHPLANE_SECRET_KEY", "a secret of ours")
    environment = host.run(["env"], timeout_seconds=30).stdout
    assert "LC_ALL" not in environment
    assert "LAUNCHPLANE" not in environment


@on_the_testbed
def test_nothing_stays_on_our_disk(host: SshHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    host.run(["true"], timeout_seconds=30)
    assert list(tmp_path.iterdir()) == []


@on_the_testbed
@pytest.mark.parametrize("key_type", ["ed25519", "rsa"])
def test_a_host_with_another_key_than_the_pinned_one_gets_no_command(
    host: SshHost, disposable: DisposableHost, tmp_path: Path, key_type: str
) -> None:
    other = HostKey.parse(new_key(tmp_path, "-t", key_type).with_suffix(".pub").read_text())

    problem = unavailable(replace(host, host_key=other))

    assert problem.code == "ssh_host_key_changed"
    assert other.fingerprint in problem.sentence
    assert disposable.run(["test", "-e", "/tmp/begun"]).returncode == 1


@on_the_testbed
def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(disposable: DisposableHost) -> None:
    printed = run(["ssh-keygen", "-l", "-f", "-"], timeout_seconds=30, stdin=disposable.host_key).stdout
    assert HostKey.parse(disposable.host_key).fingerprint == printed.split()[1]


@on_the_testbed
def test_a_key_that_the_host_does_not_know_is_refused(host: SshHost, tmp_path: Path) -> None:
    problem = unavailable(replace(host, identity=new_key(tmp_path, "-t", "ed25519")))
    assert problem.code == "ssh_key_refused"
    assert "authorized_keys" in problem.sentence


@on_the_testbed
def test_a_user_that_the_host_does_not_know_is_refused(host: SshHost) -> None:
    assert unavailable(replace(host, target=replace(host.target, user="nobody-here"))).code == "ssh_key_refused"


@on_the_testbed
def test_an_agent_with_the_right_key_does_not_help_the_wrong_one(
    host: SshHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with an_agent(host.identity, tmp_path / "agent") as where:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(where))
        assert unavailable(replace(host, identity=new_key(tmp_path, "-t", "ed25519"))).code == "ssh_key_refused"


@contextmanager
def an_agent(identity: Path, where: Path) -> Iterator[Path]:
    """An ssh agent that holds a key and ends with its command."""
    holds = f"ssh-add -q {shlex.quote(str(identity))} && ssh-add -l >&2 && echo ready && exec sleep infinity"
    with subprocess.Popen(
        ["ssh-agent", "-a", str(where), "sh", "-c", holds], stdout=subprocess.PIPE, text=True
    ) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline() == "ready\n"
        try:
            yield where
        finally:
            agent.kill()


def copy_of(key: Path, to: Path) -> Path:
    to.parent.mkdir(exist_ok=True)
    to.write_bytes(key.read_bytes())
    to.chmod(0o600)
    return to


@on_the_testbed
def test_a_file_that_is_no_key_is_said_to_be_none(host: SshHost, tmp_path: Path) -> None:
    no_key = tmp_path / "no-key"
    no_key.write_text("not a key\n")
    no_key.chmod(0o600)
    os.mkfifo(tmp_path / "pipe")
    for identity in (no_key, tmp_path / "not-there", tmp_path, tmp_path / "pipe"):
        assert unavailable(replace(host, identity=identity)).code == "ssh_identity_unusable", identity


@on_the_testbed
def test_a_key_that_others_may_read_is_not_used(host: SshHost, tmp_path: Path) -> None:
    readable = copy_of(host.identity, tmp_path / "key")
    readable.chmod(0o644)
    problem = unavailable(replace(host, identity=readable))
    assert (problem.code, "bad permissions" in problem.sentence) == ("ssh_identity_unusable", True)


@on_the_testbed
def test_a_key_with_a_passphrase_is_of_no_use(host: SshHost, tmp_path: Path) -> None:
    locked = copy_of(host.identity, tmp_path / "key")
    assert run(["ssh-keygen", "-q", "-p", "-N", "a phrase", "-f", str(locked)], timeout_seconds=30).returncode == 0
    assert unavailable(replace(host, identity=locked)).code == "ssh_identity_unusable"


@on_the_testbed
def test_a_key_in_a_folder_with_blanks_is_found(host: SshHost, tmp_path: Path) -> None:
    identity = copy_of(host.identity, tmp_path / "a folder of keys" / "the key")
    assert replace(host, identity=identity).run(["true"], timeout_seconds=30).returncode == 0


@on_the_testbed
def test_a_key_whose_path_would_mean_another_file_to_ssh_is_refused(host: SshHost, tmp_path: Path) -> None:
    for name in ("100%h", "${HOME}", 'a"b', "a\\b"):
        identity = copy_of(host.identity, tmp_path / name)
        assert unavailable(replace(host, identity=identity)).code == "ssh_identity_unusable", name


@on_the_testbed
def test_a_port_where_nobody_listens_and_a_name_that_nobody_has_are_unreachable(host: SshHost) -> None:
    closed = unavailable(replace(host, target=replace(host.target, port=9)))
    assert (closed.code, "Connection refused" in closed.sentence) == ("ssh_unreachable", True)
    unknown = unavailable(replace(host, target=replace(host.target, host="no-such-host.invalid")))
    assert (unknown.code, "no-such-host.invalid" in unknown.sentence) == ("ssh_unreachable", True)


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """The port of somebody on this machine who takes one connection and says this, or (None) takes none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        if answer is None:
            yield port
            return

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield port
        thread.join()


@on_the_testbed
@pytest.mark.parametrize("answer", [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"x" * 100_000])
def test_what_is_no_sshd_is_unreachable(host: SshHost, answer: bytes | None) -> None:
    with listening(answer) as port:
        target = Target("admin", "127.0.0.1", port)
        assert unavailable(replace(host, target=target, patience=Patience(connect_seconds=1))).code == "ssh_unreachable"


@on_the_testbed
def test_a_host_that_hangs_on_an_open_connection_is_given_up(host: SshHost) -> None:
    impatient = replace(host, patience=Patience(alive_seconds=1, alive_count=2))
    assert lost(impatient, "kill -STOP $PPID; sleep 300").code == "ssh_silent"


@on_the_testbed
def test_a_command_that_takes_too_long_is_given_up_and_may_still_run(host: SshHost, disposable: DisposableHost) -> None:
    problem = lost(host, "exec sleep 301", timeout_seconds=8)
    assert problem.code == "ssh_timed_out"
    assert "may still be at it" in problem.sentence
    assert disposable.run(["pgrep", "--full", "^sleep 301$"]).returncode == 0


@on_the_testbed
@pytest.mark.parametrize("code", ["kill -KILL $PPID; sleep 300", "kill -KILL $$", "exit 255"])
def test_an_end_without_a_status_is_not_known_as_one(host: SshHost, code: str) -> None:
    assert lost(host, f"echo begun; {code}").code == "ssh_cut"


@on_the_testbed
@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_host_that_sends_without_end_is_cut_off(host: SshHost, stream: str) -> None:
    problem = lost(host, f"exec yes >&{stream}")
    assert (problem.code, "100000 bytes" in problem.sentence) == ("ssh_answer_too_large", True)


@on_the_testbed
@pytest.mark.parametrize(
    "lie",
    ["Host key verification failed.", "Permission denied (publickey).", "ssh: connect to host x port 22: refused"],
)
def test_a_host_cannot_make_us_believe_that_nothing_was_begun(host: SshHost, lie: str) -> None:
    assert lost(host, f"echo {shlex.quote(lie)} >&2; exit 255").code == "ssh_cut"


@on_the_testbed
def test_statuses_that_mean_something_here_mean_nothing_over_there(host: SshHost) -> None:
    for status in (124, 126, 127):
        assert host.run(["sh", "-c", f"exit {status}"], timeout_seconds=30).returncode == status


def test_without_the_client_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    key = HostKey("ssh-ed25519", "AAAA")
    problem = unavailable(SshHost(Target("ci", "runner"), key, tmp_path / "key"))
    assert (problem.code, "openssh-client" in problem.sentence) == ("ssh_missing", True)
