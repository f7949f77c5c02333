"""Calls to launchplane-docker's verbs in this process: what its door has checked is given, the rest is the verb's."""

import io
import json
from collections.abc import Mapping

from onhost import config
from onhost.docker_call import Call, take
from onhost.door import Request
from tests.onhost.room import CONFIG, DOCKER, SESSION


def a_call(more: Mapping[str, object], *, socket: str = "/nowhere/docker.sock", body: bytes = b"") -> Call:
    """A request with these fields, for a host whose engine listens at `socket`."""
    host = config.parse(json.dumps(CONFIG | {"docker": DOCKER | {"socket": socket}}).encode())
    return take(Request("observe", host, False, 1, SESSION, dict(more), io.BytesIO(body), [], {}))
