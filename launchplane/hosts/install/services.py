"""Installing: what a host is to have, shown, looked at or brought about, and put on record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from audits import record
from audits.contracts import Status
from launchplane.access.acting import acting
from launchplane.hosts.errors import HostProblem
from launchplane.hosts.install import over_ssh
from launchplane.hosts.install.host_json import host_json, read_before
from launchplane.hosts.install.key import make_key, public_key
from launchplane.hosts.install.lanes import lanes_on
from launchplane.hosts.install.over_ssh import Found, InstallRefused
from launchplane.hosts.install.pieces import Piece, as_text, pieces
from launchplane.hosts.services import hosts_called
from launchplane.hosts.ssh_target import Target
from launchplane.problems import Problem
from launchplane.slugs import RULE, is_slug
from onhost.refusals import Refusal

USER: Final = "launchplane"


@dataclass(frozen=True, slots=True)
class Installation:
    """Everything that a host is to have, in its order, and the user that the control plane comes in as."""

    host: str
    ssh_user: str
    pieces: tuple[Piece, ...]


def wanted(name: str, *, user: str = "", before: str = "", packages: Sequence[str] = ()) -> Installation:
    """What host `name` is to have; it need not be added yet. `before` is the host.json that is there now;
    `packages` are the sha256 of runner packages that may be unpacked there from now on.

    The control plane's key is made if it has none. Raises Problem `no_host_name`, `not_installable`, HostUnavailable.
    """
    if not is_slug(name):
        raise Problem("no_host_name", f"{name[:80]!r} is no usable name: {RULE}")
    host = hosts_called(name).first()
    ssh_user = user or (Target.parse(host.ssh_target).user if host is not None and host.ssh_target else USER)
    key = _public_key(Path(settings.SSH_KEY))
    told = as_text(host_json(name, host, lanes_on(host), read_before(before), packages))
    try:
        return Installation(name, ssh_user, tuple(pieces(told, ssh_user=ssh_user, public_key=key)))
    except Refusal as refusal:
        sentence = f"{name} cannot be installed like this: {refusal.summary}. Correct the host, or its lanes."
        raise Problem("not_installable", sentence) from refusal


def look(installation: Installation, target: str) -> list[Found]:
    """What of it is there, over an administrator's own ssh. Changes nothing."""
    return over_ssh.bring_about(target, installation.pieces, apply=False)


def install(installation: Installation, target: str) -> list[Found]:
    """Bring all of it about over an administrator's own ssh: recorded before, and with what was done afterwards.

    Raises InstallRefused where the host has something in the way, HostUnavailable, AnswerUnusable, AuditRefused.
    """
    _tell(installation, target, "planned", [])
    try:
        found = over_ssh.bring_about(target, installation.pieces, apply=True)
    except HostProblem as problem:
        reached = problem.found if isinstance(problem, InstallRefused) else []
        _tell(installation, target, "failed", reached, why=problem.sentence)
        raise
    _tell(installation, target, "completed", found)
    return found


def _public_key(path: Path) -> str:
    """Of the key that was named, or of our own, which is made when it is first needed."""
    if path == Path(settings.VAR) / "keys" / "ssh_key" and not path.exists():
        make_key(path)
    return public_key(path)


def _tell(installation: Installation, target: str, status: Status, found: Sequence[Found], *, why: str = "") -> None:
    by = acting()
    done = [each.what for each in found if each.state in ("made", "changed")]
    said = {
        "administrator": target,
        "ssh_user": installation.ssh_user,
        "files": {str(piece.item["path"]): piece.sha256 for piece in installation.pieces if piece.sha256},
        "done": done,
    }
    with transaction.atomic():
        record.append(
            kind="host.install",
            key=f"host-install-{installation.host}",
            status=status,
            payload=said | ({"why": why} if why else {}),
            actor=by.actor(),
            source=by.source,
            host=installation.host,
        )
