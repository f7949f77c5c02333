"""What an operator types for ssh is a machine or refused: never an option, a pattern or a second line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchplane.hosts.errors import HostProblem
from launchplane.hosts.ssh_target import HostKey, Target
from launchplane.problems import Problem

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIJ3Vv5dV0mA0b6v1jv3B6G0rP2iUQF8kE3o4m5H1nGqS"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("ci@runner", Target("ci", "runner")),
        ("ci@runner-1.example.org:2222", Target("ci", "runner-1.example.org", 2222)),
        ("_ci-2@10.0.0.7", Target("_ci-2", "10.0.0.7")),
        ("ci@[fd00::7]", Target("ci", "fd00::7")),
        ("ci@[fd00::7]:2222", Target("ci", "fd00::7", 2222)),
    ],
)
def test_a_target_is_a_user_on_a_machine(text: str, target: Target) -> None:
    assert Target.parse(text) == target
    assert str(target) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "runner",
        "@runner",
        "ci@",
        "ci@@runner",
        "ci@runner:",
        "ci@runner:0",
        "ci@runner:65536",
        "ci@runner:99999999",
        "ci@runner:22x",
        "ci@runner:٢٢",
        "-oProxyCommand=id",
        "-oProxyCommand=id@runner",
        "ci@-oProxyCommand=id",
        "ci@[-oProxyCommand=id]",
        "ci@runner -oProxyCommand=id",
        "ci@runner\n",
        "ci@runner\nProxyCommand id",
        "ci@run\0ner",
        "ci@run*",
        "ci@run%h",
        "ci@$(id)",
        "ci@rünner",
        "ci@runner-",
        "ci@" + "a" * 254,
        "a" * 33 + "@runner",
        "CI@runner",
        "ci;id@runner",
        "ci@fd00::7",
        "ci@[fe80::1%eth0]",
        "ci@[runner]",
        "ssh://ci@runner",
    ],
)
def test_anything_else_is_refused_with_what_would_be_accepted(text: str) -> None:
    with pytest.raises(HostProblem, match="write user@host") as refused:
        Target.parse(text)
    assert refused.value.code == "ssh_target_invalid"


@given(st.text(max_size=60) | st.text(alphabet="ci@runer:-[]%\n .", max_size=20))
def test_no_part_of_a_target_begins_with_a_dash_or_holds_a_blank(text: str) -> None:
    try:
        target = Target.parse(text)
    except Problem:
        return
    for part in (target.user, target.host):
        assert part.isascii() and part.isprintable()
        assert not part.startswith("-") and " " not in part


def test_a_host_key_is_read_from_its_public_file_and_from_a_bare_line() -> None:
    key = HostKey.parse(f"ssh-ed25519 {ED25519} root@runner 1\n")
    assert key == HostKey.parse(f"ssh-ed25519 {ED25519}")
    assert str(key) == f"ssh-ed25519 {ED25519}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        ED25519,
        f"runner ssh-ed25519 {ED25519}",
        f"@cert-authority ssh-ed25519 {ED25519}",
        f"ssh-ed25519 {ED25519}\nssh-ed25519 {ED25519}",
        f"ssh-ed25519 {ED25519}\rpinned ssh-ed25519 {ED25519}",
        f"ssh-ed25519 {ED25519}\u2028* ssh-ed25519 {ED25519}",
        f"ssh-rsa {ED25519}",
        f"ssh-dss {ED25519}",
        f"ssh-ed25519 {ED25519[:-1]}",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 not~base64",
        f"ssh-ed25519-cert-v01@openssh.com {ED25519}",
        f"ssh-ed25519é {ED25519}",
    ],
)
def test_what_is_no_host_key_is_refused(text: str) -> None:
    with pytest.raises(HostProblem, match="is no host key") as refused:
        HostKey.parse(text)
    assert refused.value.code == "ssh_host_key_invalid"
