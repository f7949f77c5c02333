"""The HTTP interface under `/v1`: its doors, its routes, its errors."""

from datetime import datetime
from typing import Any

from ninja import NinjaAPI
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder
from pydantic_core import to_jsonable_python

from lanes.api import router as lanes
from launchplane.access.not_let_in import NotLetIn
from launchplane.api import changes, evidence_in, evidence_out, export, refusing
from launchplane.api.auth import Bearer, ReadingSession, not_let_in
from launchplane.api.errors import add_handlers
from launchplane.api.evidence import router as evidence
from launchplane.api.hosts import router as hosts


class Encoder(NinjaJSONEncoder):
    """Times as the contracts write them everywhere else; Django's own encoder cuts them to milliseconds."""

    def default(self, o: object) -> Any:
        return to_jsonable_python(o) if isinstance(o, datetime) else super().default(o)


class Renderer(JSONRenderer):
    """The contracts' JSON."""

    encoder_class = Encoder


api = NinjaAPI(
    title="Launchplane",
    version="1",
    urls_namespace="v1",
    docs_url=None,
    auth=[Bearer(), ReadingSession()],
    renderer=Renderer(),
)
add_handlers(api)
api.exception_handler(NotLetIn)(not_let_in)
api.exception_handler(refusing.NotTaken)(refusing.answer)
# their routes share addresses, and so one router: it has those of the modules that are imported
EVIDENCE = (evidence_in, evidence_out, export)
for router in (hosts, lanes, changes.router, evidence):
    api.add_router("", router)
