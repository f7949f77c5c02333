"""The disposable host with our programs on it, installed as an operator does it, and reached with our own key."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest import MonkeyPatch

from launchplane.hosts.command import run
from tests.shell import Outcome, manage
from tests.testbed.host import CLIENT, DisposableHost

NAME = "chris-testing"


@dataclass(frozen=True)
class Installed:
    """A disposable host, and a folder that lasts as long as it."""

    host: DisposableHost
    folder: Path

    @property
    def engine_url(self) -> str:
        """Its own engine's socket, as root of this machine sees it."""
        inspect = [CLIENT, "--host", self.host.docker_url, "inspect", "--format", "{{.State.Pid}}"]
        pid = run([*inspect, self.host.container_id], timeout_seconds=30).stdout.strip()
        return f"unix:///proc/{pid}/root/run/docker.sock"


@contextmanager
def own_ssh(host: DisposableHost, folder: Path, monkeypatch: MonkeyPatch) -> Iterator[str]:
    """An administrator's own configuration of ssh, and the word that he calls the host by."""
    known, config, shim = folder / "known_hosts", folder / "config", folder / "bin" / "ssh"
    known.write_text(f"{host.address} {host.host_key}\n")
    config.write_text(
        f"Host runner-1\n HostName {host.address}\n User {host.user}\n IdentityFile {host.identity}\n"
        f" UserKnownHostsFile {known}\n StrictHostKeyChecking yes\n"
    )
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {config} "$@"\n')
    shim.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setenv("PATH", f"{shim.parent}:{os.environ['PATH']}")
        yield "runner-1"


def install(host: DisposableHost, folder: Path, monkeypatch: MonkeyPatch, *words: str, name: str = NAME) -> Outcome:
    """`hosts install`, over that administrator's ssh."""
    with own_ssh(host, folder, monkeypatch) as admin:
        return manage("hosts", "install", name, "--admin", admin, *words)


def add(host: DisposableHost, name: str = NAME) -> Outcome:
    """`hosts add` with the fingerprint as one reads it on the machine."""
    printed = run(["ssh-keygen", "-l", "-f", "-"], timeout_seconds=30, stdin=host.host_key).stdout.split()[1]
    target = ["--connection", "ssh", "--ssh", f"launchplane@{host.address}", "--fingerprint", printed]
    return manage("hosts", "add", name, *target, "--approve", "--json")


def states(outcome: Outcome) -> set[str]:
    return {item["state"] for item in json.loads(outcome.out)["items"]}
