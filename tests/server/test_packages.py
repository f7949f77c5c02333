"""What a start may install: what dpkg says, and that no service is started by it."""

import shutil
from pathlib import Path

import pytest

from launchplane.server import packages

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="not a Debian")


@needs_dpkg
def test_only_what_dpkg_does_not_know_as_installed_is_missing() -> None:
    assert packages.missing(["dpkg", "launchplane-no-such-package"]) == ["launchplane-no-such-package"]


def test_while_packages_are_installed_no_service_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(packages, "POLICY", policy)
    with packages.no_service_starts():
        assert policy.read_text() == "#!/bin/sh\nexit 101\n"
        assert policy.stat().st_mode & 0o777 == 0o755
    assert not policy.exists()


def test_a_policy_that_the_machine_has_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("the machine's own")
    monkeypatch.setattr(packages, "POLICY", policy)
    with packages.no_service_starts():
        assert policy.read_text() == "the machine's own"
    assert policy.read_text() == "the machine's own"
