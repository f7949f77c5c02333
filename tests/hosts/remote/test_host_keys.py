"""Pinning a machine's host key: what a scan shows, and that nothing is trusted because it was seen first."""

from dataclasses import replace

import pytest

from launchplane.hosts.errors import HostUnavailable
from launchplane.hosts.host_keys import confirmed, scan
from launchplane.hosts.ssh_target import HostKey, Target
from launchplane.problems import Refused, Waits
from tests.testbed.host import DisposableHost

TARGET = Target("launchplane", "runner-1")
ONE = HostKey.parse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtIBvTLPkpoY7JmRhVjm9rWnqEm1fAlgB1D4Nno4rZk")
OTHER = replace(ONE, blob=ONE.blob.replace("GtIB", "GtIC"))


def test_a_key_that_nobody_confirmed_is_shown_and_not_taken() -> None:
    with pytest.raises(Waits, match="ssh-keygen -lf") as asked:
        confirmed([ONE, OTHER], "", target=TARGET)
    assert asked.value.code == "host_key_unconfirmed"
    assert f"--fingerprint {ONE.fingerprint}" in asked.value.sentence


def test_the_key_with_the_fingerprint_that_was_named_is_taken() -> None:
    assert confirmed([ONE, OTHER], OTHER.fingerprint, target=TARGET) == OTHER


def test_another_fingerprint_than_what_answers_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        confirmed([ONE], OTHER.fingerprint, target=TARGET)
    assert refused.value.code == "host_key_differs"


@pytest.mark.testbed
def test_a_scan_shows_the_key_that_the_machine_has(disposable: DisposableHost) -> None:
    keys = scan(Target("launchplane", disposable.address))
    assert str(keys[0]) == disposable.host_key


def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(HostUnavailable) as nobody:
        scan(Target("launchplane", "127.0.0.1", 9))
    assert nobody.value.code == "ssh_unreachable"
