"""`manage.py hosts install`: shows what a host is to have, tells what is missing there, or brings it about."""

from collections.abc import Sequence
from typing import Any

from launchplane.commands import ATTENTION, FINE, Subcommands
from launchplane.hosts.install import services
from launchplane.hosts.install.over_ssh import Found, argv, read_config
from launchplane.hosts.install.services import Installation
from launchplane.problems import Problem

OPTIONS: list[tuple[list[str], dict[str, Any]]] = [
    (["--user"], {"default": "", "metavar": "USER", "help": "whom the control plane comes in as"}),
    (["--admin"], {"default": "", "metavar": "TARGET", "help": "your own ssh to it: to look, or to install"}),
    (
        ["--package"],
        {
            "action": "append",
            "default": [],
            "metavar": "SHA256",
            "dest": "packages",
            "help": "of a runner package that may be unpacked there; may be given several times",
        },
    ),
    (["--apply"], {"action": "store_true", "help": "do it, over --admin"}),
]
DONE = ("there", "made", "changed")


def install(
    command: Subcommands, *, name: str, user: str, admin: str, packages: Sequence[str], apply: bool, json: bool
) -> int:
    """0 when nothing is missing (any more) or nobody was asked, 3 when something is."""
    if apply and not admin:
        raise Problem("admin_missing", "Say how you reach the host yourself: --apply --admin TARGET")
    wanted = services.wanted(name, user=user, before=read_config(admin) if admin else "", packages=packages)
    if not json:
        _show(command, wanted, admin)
    found = _act(wanted, admin, apply=apply) if admin else []
    if json:
        command.print_json(as_dict(wanted, admin, found))
    else:
        for each in found:
            command.say(f"{each.state:8} {each.what}")
    return FINE if all(each.state in DONE for each in found) else ATTENTION


def as_dict(wanted: Installation, admin: str, found: Sequence[Found]) -> dict[str, Any]:
    """What the command prints with `--json`; `state` is null where nobody was asked."""
    states = {each.what: each.state for each in found}
    return {
        "host": wanted.host,
        "ssh_user": wanted.ssh_user,
        "argv": argv(admin) if admin else [],
        "items": [
            {"what": piece.what, "sha256": piece.sha256, "text": piece.text, "state": states.get(piece.what)}
            for piece in wanted.pieces
        ],
    }


def _act(wanted: Installation, admin: str, *, apply: bool) -> list[Found]:
    return services.install(wanted, admin) if apply else services.look(wanted, admin)


def _show(command: Subcommands, wanted: Installation, admin: str) -> None:
    for piece in wanted.pieces:
        command.say(piece.what)
        for line in piece.text.splitlines():
            command.say(f"    {line}")
    how = " ".join(argv(admin or "TARGET"))
    command.say(f"All of it is done by one Python program there, sent to: {how}")
    if not admin:
        command.say(f"To do it: manage.py hosts install {wanted.host} --apply --admin TARGET")
