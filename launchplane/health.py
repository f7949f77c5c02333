"""`GET /health`: is the application up, and can it reach its database? For probes, without a login."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe


@require_safe
def health(_request: HttpRequest) -> JsonResponse:
    """200 with the storage backend, 503 if the database does not answer (H57)."""
    backend = "postgres" if connection.vendor == "postgresql" else connection.vendor
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "storage_backend": backend}, status=503)
    return JsonResponse({"status": "ok", "storage_backend": backend})
