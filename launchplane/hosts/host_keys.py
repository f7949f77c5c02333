"""Which key a machine answers with, for a person to hold against what stands on the machine itself.

Nothing is trusted because it was seen first: a scan only shows what would be pinned.
"""

from typing import Final

from launchplane.hosts.command import run
from launchplane.hosts.errors import HostProblem, HostUnavailable
from launchplane.hosts.ssh_target import KEY_TYPES, HostKey, Target
from launchplane.problems import Refused, Waits
from launchplane.words import clean_message

SCAN_SECONDS: Final = 10
MOST_BYTES: Final = 64 * 1024
ON_THE_HOST: Final = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"


def scan(target: Target) -> list[HostKey]:
    """The keys that answer at `target`, the best first. Raises HostUnavailable."""
    asked = ["ssh-keyscan", "-T", str(SCAN_SECONDS), "-p", str(target.port), "-t", "ed25519,ecdsa,rsa"]
    result = run([*asked, "--", target.host], timeout_seconds=3 * SCAN_SECONDS, max_output_bytes=MOST_BYTES)
    if result.returncode == 127:
        raise HostUnavailable("ssh_missing", "ssh is not installed here (on Debian: apt-get install openssh-client).")
    keys = [key for line in result.stdout.splitlines() if (key := _key(line)) is not None]
    if not keys:
        said = [line for line in result.stderr.splitlines() if not line.startswith("#")]
        why = clean_message(" ".join(said)) or "no answer"
        raise HostUnavailable("ssh_unreachable", f"{target} cannot be reached by ssh: {why}.")
    return sorted(keys, key=lambda key: KEY_TYPES.index(key.type))


def confirmed(keys: list[HostKey], fingerprint: str, *, target: Target) -> HostKey:
    """The one of `keys` that a person named. Raises Waits without a fingerprint, Refused when none has it."""
    if not fingerprint:
        raise Waits(
            "host_key_unconfirmed",
            f"{target} answers with the host key {keys[0].fingerprint} ({keys[0].type}). Nobody has said that this is "
            f"the right one, so nothing was stored. Look on that machine: {ON_THE_HOST}. If it prints the same, repeat "
            f"this with --fingerprint {keys[0].fingerprint}",
        )
    for key in keys:
        if key.fingerprint == fingerprint:
            return key
    raise Refused(
        "host_key_differs",
        f"{target} answers with the host key {keys[0].fingerprint}, and not with {fingerprint[:80]}: nothing was "
        "stored. Something else may answer there.",
    )


def _key(line: str) -> HostKey | None:
    """`HOST TYPE BLOB`, as known_hosts has it; what is none of ours is left out."""
    words = line.split(maxsplit=1)
    try:
        return HostKey.parse(words[1]) if len(words) == 2 and not line.startswith("#") else None
    except HostProblem:
        return None
