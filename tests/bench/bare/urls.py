"""One route: a body that fits the contract becomes one row behind one counter. Nobody is asked who they are."""

from django.db import connection, transaction
from django.http import HttpRequest
from django.urls import path
from django.utils import timezone
from ninja import NinjaAPI, Status

from hygiene.contracts.sent import SentHygiene
from launchplane.api.evidence_in_shown import Receipt

INSERT = (
    "INSERT INTO peer (seq, at, kind, key, host, lane, actor_id, actor_name, responsible, source, status, payload, "
    "payload_hash, prev_hash, hash) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
api = NinjaAPI()


@api.post("/audits", response={201: Receipt})
def take(request: HttpRequest, said: SentHygiene) -> Status[dict[str, object]]:
    """Stored as it came."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT seq, hash FROM peer_counter WHERE id = 1 FOR UPDATE")
        seq, previous = cursor.fetchone()
        own = f"{seq + 1:064x}"
        sender = ["token-1", "ann by token bench", '["ann"]', "api", said.status]
        row = [seq + 1, timezone.now(), "hygiene.evidence", said.key, said.host, "", *sender, said.model_dump_json()]
        cursor.execute(INSERT, [*row, own, previous, own])
        cursor.execute("UPDATE peer_counter SET seq = %s, hash = %s WHERE id = 1", [seq + 1, own])
    return Status(201, {"seq": seq + 1, "hash": own})


urlpatterns = [path("", api.urls)]
