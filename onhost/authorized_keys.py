"""The one line of the control plane's user's authorized_keys: a key that runs launchplane-dispatch and nothing else.

`restrict` (OpenSSH 7.2) forbids a terminal, forwarding of ports, agent and X11, the user's own rc file, and whatever a
later OpenSSH learns to offer.
"""

from __future__ import annotations

import re

from onhost import FOLDER
from onhost.refusals import BadRequest

# type, base64, and nothing else: no options before it and no comment after it, so no quote, comma or line end
KINDS = r"ssh-ed25519|sk-ssh-ed25519@openssh\.com|ecdsa-sha2-nistp\d{3}|ssh-rsa"
KEY = re.compile(rf"({KINDS}) ([A-Za-z0-9+/]{{40,2000}}={{0,2}})")


def render(public_key: str) -> str:
    """The line for `public_key`, as in an `id_….pub` file; its comment is left out. Raises BadRequest `bad_key`."""
    found = KEY.fullmatch(" ".join(public_key.split()[:2]))
    if found is None or public_key.strip().count("\n"):
        raise BadRequest("bad_key", "that is not one public key of OpenSSH")
    return f'restrict,command="{FOLDER}/launchplane-dispatch" {found[1]} {found[2]}\n'
