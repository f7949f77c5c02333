"""`manage.py hosts add|list|check|install`."""

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from launchplane.access.acting import acting_as
from launchplane.access.authenticate import shell
from launchplane.commands import ATTENTION, FINE, Subcommands
from launchplane.hosts.connect import identify
from launchplane.hosts.host_keys import ON_THE_HOST, confirmed, scan
from launchplane.hosts.install import command as installing
from launchplane.hosts.install.check import check_programs
from launchplane.hosts.models import Contact, Host
from launchplane.hosts.services import add_host, find_host, record_contact
from launchplane.hosts.ssh_target import HostKey, Target
from launchplane.problems import Problem

NAME: tuple[list[str], dict[str, Any]] = (["name"], {"metavar": "NAME"})


class Command(Subcommands):
    help = "Add, list, check and install runner hosts."

    def add_arguments(self, parser: CommandParser) -> None:
        subcommands = parser.add_subparsers(required=True, metavar="add|list|check|install")
        add_options = [
            NAME,
            (["--connection"], {"choices": Host.Connection.values, "default": Host.Connection.LOCAL}),
            (["--docker-url"], {"default": "unix:///var/run/docker.sock", "metavar": "URL"}),
            (["--ssh"], {"default": "", "metavar": "TARGET", "help": "user@host, user@host:port, user@[IPv6]:port"}),
            (
                ["--fingerprint"],
                {"default": "", "metavar": "SHA256:…", "help": "of the machine's host key, as you saw it there"},
            ),
            (["--approve"], {"action": "store_true", "help": "let approved changes be applied to it"}),
        ]
        self.sub(subcommands, "add", self.add, help_text="Add a host whose engine answers.", arguments=add_options)
        self.sub(
            subcommands,
            "install",
            self.install,
            help_text="Show, look for, or bring about what our programs need on a host.",
            arguments=[NAME, *installing.OPTIONS],
        )
        self.sub(subcommands, "list", self.list, help_text="List the hosts.")
        self.sub(
            subcommands,
            "check",
            self.check_host,
            help_text="Ask a host's engine who it is, and its programs what is missing.",
            arguments=[NAME],
        )

    def add(self, *, name: str, connection: str, ssh: str, fingerprint: str, json: bool, **options: Any) -> None:
        key = self._host_key(Target.parse(ssh), fingerprint) if connection == Host.Connection.SSH else ""
        with acting_as(shell()):
            host = add_host(
                name=name,
                connection=connection,
                docker_url=options["docker_url"],
                ssh_target=ssh,
                ssh_host_key=str(key),
                approved=options["approve"],
            )
        if json:
            self.print_json(as_dict(host))
        else:
            self.say(f"{host.name} is added, with engine {host.engine_id} pinned.")

    def _host_key(self, target: Target, fingerprint: str) -> HostKey:
        """The key that is pinned: one that a person named, here or when asked. Raises Waits, Refused."""
        keys = scan(target)
        if not fingerprint and sys.stdin.isatty():
            self.say(f"{target} answers with the host key {keys[0].fingerprint} ({keys[0].type}).")
            self.say(f"Look on that machine: {ON_THE_HOST}")
            fingerprint = input("Type the fingerprint that you see there: ").strip()
        return confirmed(keys, fingerprint, target=target)

    def install(
        self, *, name: str, user: str, admin: str, packages: list[str], apply: bool, json: bool, **_: Any
    ) -> int:
        with acting_as(shell()):
            return installing.install(
                self, name=name, user=user, admin=admin, packages=packages, apply=apply, json=json
            )

    def list(self, *, json: bool, **_: Any) -> None:
        hosts = list(Host.objects.all())
        if json:
            self.print_json([as_dict(host) for host in hosts])
        elif not hosts:
            self.say("No host yet. Add one: manage.py hosts add NAME --docker-url unix:///var/run/docker.sock")
        else:
            rows = [
                (h.name, h.connection, h.ssh_target or h.docker_url, "yes" if h.approved else "no", contact_words(h))
                for h in hosts
            ]
            self.print_table(["name", "connection", "at", "approved", "reachable"], rows)

    def check_host(self, *, name: str, json: bool, **_: Any) -> int:
        host = find_host(name)
        try:
            identity = identify(host)
        except Problem as problem:
            record_contact(host, problem=problem)
            raise with_next_step(host, problem) from problem
        record_contact(host)
        checked = check_programs(host)
        if json:
            engine = {"engine_version": identity.engine_version, "api_version": identity.api_version}
            self.print_json(as_dict(host) | engine | {"checks": [asdict(one) for one in checked]})
        else:
            version = f"Docker {identity.engine_version}, API {identity.api_version}"
            self.say(f"{host.name}: its pinned engine answers: {version}.")
            for one in checked:
                self.say(f"{'ok' if one.ok else 'not ok':7} {one.what}: {one.summary}")
                if one.next_step:
                    self.say(f"        Next: {one.next_step}")
        return FINE if all(one.ok for one in checked) else ATTENTION


def with_next_step(host: Host, problem: Problem) -> Problem:
    """The same problem; where the host's programs are what is wrong, with how to see what is missing there."""
    if problem.code not in ("answer_unusable", "programs_missing"):
        return problem
    return Problem(problem.code, f"{problem.sentence} Next: manage.py hosts install {host.name} --admin TARGET")


def as_dict(host: Host) -> dict[str, Any]:
    """A host as the command's JSON shows it."""
    return {
        "name": host.name,
        "connection": host.connection,
        "docker_url": host.docker_url,
        "engine_id": host.engine_id,
        "docker_root": host.docker_root,
        "ssh_target": host.ssh_target,
        "approved": host.approved,
        "sandbox": host.is_sandbox,
    }


def contact_words(host: Host) -> str:
    """Whether the host could be reached last, in words."""
    contact = Contact.objects.filter(host=host).first()
    if contact is None:
        return "never tried"
    since = f"since {contact.at:%Y-%m-%d %H:%M} UTC"
    return f"yes, {since}" if contact.reachable else f"no, {since}: {contact.reason}"
