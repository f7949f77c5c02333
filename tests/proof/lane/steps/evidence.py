"""What stays when the host is gone: the audit trail, verified by a program that knows nothing of Launchplane."""

import subprocess
import sys

from tests.proof.lane.commands import PROJECT
from tests.proof.lane.place import Place
from tests.proof.lane.record import Evidence, require


def audit_verifies(place: Place) -> Evidence:
    """X15: the export of everything that happened is whole, by docs/verify_audit.py alone."""
    kept = place.keep("audit.ndjson", place.shell.plain("audits", "export"))
    command = [sys.executable, "-I", str(PROJECT / "docs" / "verify_audit.py"), str(place.folder / kept)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    require(done.returncode == 0 and "intact" in done.stdout, f"it says {done.stdout}{done.stderr}")
    return {"export": kept, "verified": done.stdout.strip()}
