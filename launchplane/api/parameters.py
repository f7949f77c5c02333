"""Parameters that an address does not have are refused: a filter with a slip in its name would leave everything."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from ninja.operation import Operation

from audits.kept import kept
from launchplane.api.refusing import NotTaken

View = Callable[..., Any]


def only_known(view: View) -> View:
    """`view`, which answers 422 to a query parameter that it does not have, or that comes twice."""
    operation: Operation = getattr(view, "_ninja_operation")  # noqa: B009  the framework puts it there

    @wraps(view)
    def looked_at(request: HttpRequest, *args: Any, **values: Any) -> Any:
        known = _names(operation)
        for name, given in request.GET.lists():
            if name not in known:
                raise _refused(name, f"there is no such parameter here; known are {', '.join(sorted(known)) or 'none'}")
            if len(given) > 1:
                raise _refused(name, "it is given more than once")
        return view(request, *args, **values)

    return looked_at


def _names(operation: Operation) -> set[str]:
    models = [model for model in operation.models if model.__ninja_param_source__ == "query"]
    return {name for model in models for name in getattr(model, "__ninja_flatten_map__", None) or model.model_fields}


def _refused(name: str, why: str) -> NotTaken:
    return NotTaken(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", f"{kept(name)[:60]}: {why}")
