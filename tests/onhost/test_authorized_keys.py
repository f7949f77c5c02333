"""The one line of authorized_keys: it restricts the key, and nothing of the key's own text adds to it."""

import pytest

from onhost import authorized_keys
from onhost.refusals import BadRequest

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0bYdVxqYF0wMt3uTq1u0mD2sYx3z7Wg0cXn1hN4k2P"


def test_a_key_runs_dispatch_and_nothing_else() -> None:
    command = 'restrict,command="/usr/local/lib/launchplane/launchplane-dispatch"'
    assert authorized_keys.render(f"{KEY} someone@somewhere\n") == f"{command} {KEY}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        KEY.split()[1],
        f'command="sh" {KEY}',
        f"pty,{KEY}",
        f"{KEY}\n{KEY}",
        f"# {KEY}",
        KEY.replace("A", '"', 1),
        f"{KEY[:-3]}\u00e4",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "ssh-dss " + KEY.split()[1],
    ],
)
def test_what_is_no_single_public_key_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        authorized_keys.render(text)
