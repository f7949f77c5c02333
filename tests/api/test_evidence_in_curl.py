"""The call that the documents show for evidence, with the body that they show."""

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from audits.models import AuditRecord
from tests.access.making import a_token
from tests.docs.reading import PROJECT
from tests.factories import a_host, a_person

HOW_TO = (PROJECT / "docs/how-to/hand-in-evidence.md").read_text()


@pytest.mark.django_db(transaction=True)
@pytest.mark.req("H51", "H55")
def test_evidence_in_a_file_is_handed_in_as_shown(live_server: LiveServer, tmp_path: Path) -> None:
    body, command = (re.search(rf"```{kind}\n(.*?)```", HOW_TO, re.DOTALL)[1] for kind in ("json", "sh"))  # type: ignore[index]
    a_host("ci-1")
    (tmp_path / "authorization").write_text(f"Authorization: Bearer {a_token(a_person())}\n")
    (tmp_path / "planned.json").write_text(body)
    call = shlex.split(command.replace("https://launchplane.example.org", live_server.url))

    first, again = (
        subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )

    row = AuditRecord.objects.get(kind="hygiene.evidence")
    assert json.loads(first)["receipt"] == {"seq": row.seq, "hash": row.hash}
    assert first == again
