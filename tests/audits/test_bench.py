"""`script/bench audit` with a few records: the figures mean nothing then, but every part of the measurement runs."""

from pathlib import Path

import pytest
from django.db import connection

from tests.bench import audit
from tests.processes import environment


@pytest.mark.skipif(connection.vendor != "postgresql", reason="it measures PostgreSQL")
@pytest.mark.django_db(transaction=True)
def test_the_bench_measures_appending_and_verifying(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, number in {"CLIENTS": 2, "EACH": 3, "ROUNDS": 1, "VERIFIED": 20}.items():
        monkeypatch.setattr(audit, name, number)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    try:
        assert audit.compare() in (0, 1)
        audit.verify_many(tmp_path)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS peer, peer_counter")
    said = capsys.readouterr().out
    assert "x (at least 0.5)" in said
    assert "docs/verify_audit.py EXPORT: 20 records" in said
