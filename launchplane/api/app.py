"""The HTTP interface under `/v1`: its doors, its routes, its errors."""

from datetime import datetime
from typing import Any, Final

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
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
from launchplane.api.openapi import finish
from launchplane.api.parameters import only_known

DESCRIPTION: Final = """Hosts, runner lanes, changes and evidence, for programs.

Let in are an API token (`lp_…`) and the OIDC token of a trusted GitHub workflow, each as `Authorization: Bearer …`; a
browser session may read. Who may not see a host gets the same answer as if it did not exist.

Errors are problem documents (RFC 9457), whose `code` stays. Lists go on at `next_after` or `next_before` until that is
null. Unknown query parameters are refused. No answer may be cached. Times are in UTC, sizes in bytes; what was not
measured is null, and never 0."""


class Encoder(NinjaJSONEncoder):
    """Times as the contracts write them everywhere else; Django's own encoder cuts them to milliseconds."""

    def default(self, o: object) -> Any:
        return to_jsonable_python(o) if isinstance(o, datetime) else super().default(o)


class Renderer(JSONRenderer):
    """The contracts' JSON."""

    encoder_class = Encoder


class Interface(NinjaAPI):
    """Its description is made whole, once: it is the same for everybody."""

    _described: OpenAPISchema | None = None

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        if self._described is None:
            self._described = finish(super().get_openapi_schema(path_prefix="/v1"))
        return self._described


api = Interface(
    title="Launchplane",
    version="1",
    description=DESCRIPTION,
    urls_namespace="v1",
    docs_url=None,
    auth=[Bearer(), ReadingSession()],
    renderer=Renderer(),
)
add_handlers(api)
api.add_decorator(only_known, mode="operation")
api.exception_handler(NotLetIn)(not_let_in)
api.exception_handler(refusing.NotTaken)(refusing.answer)
# their routes share addresses, and so one router: it has those of the modules that are imported
EVIDENCE = (evidence_in, evidence_out, export)
for router in (hosts, lanes, changes.router, evidence):
    api.add_router("", router)
