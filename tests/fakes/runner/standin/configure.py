"""`config.sh` and `config.sh remove`: register with a token from the environment, and take that back."""

import os
import socket
import uuid
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import urlsplit

from . import server, store
from .codes import OK, TERMINATED, Ended
from .trace import OKAY, Trace

TOKEN = "ACTIONS_RUNNER_INPUT_TOKEN"


class _Options(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Its own status, not argparse's."""
        raise Ended(TERMINATED, f"Unrecognized command-line input arguments: {message}")


def configure(words: Sequence[str], trace: Trace) -> int:
    """Register. Raises Ended with what the runner says when it could not."""
    asked = _asked(words)
    if store.SETTINGS.exists():
        raise Ended(
            TERMINATED,
            "Cannot configure the runner because it is already configured. To reconfigure the runner, run "
            "'config.cmd remove' or './config.sh remove' first.",
        )
    parts = urlsplit(asked.url)
    place, scope = f"{parts.scheme}://{parts.netloc}/", parts.path.strip("/")
    body = {
        "scope": scope,
        "name": asked.name,
        "labels": [label for label in asked.labels.split(",") if label],
        "version": store.version(),
        "ephemeral": asked.ephemeral,
    }
    how = "replace" if asked.replace else "register"
    told = _asked_of(place, how, f"RemoteAuth {_token()}", trace, **body)
    trace.say(f"{OKAY} Connected to GitHub")
    trace.say(f"{OKAY} Runner successfully {'replaced' if asked.replace else 'added'}")
    found = {
        "agentId": told["id"],
        "agentName": asked.name,
        "poolId": 1,
        "poolName": "Default",
        **({"disableUpdate": True} if asked.disableupdate else {}),
        **({"ephemeral": True} if asked.ephemeral else {}),
        "serverUrl": place,
        "gitHubUrl": asked.url,
        "workFolder": asked.work,
    }
    store.save(found, client_id=str(uuid.uuid4()), secret=str(told["secret"]))
    trace.say(f"{OKAY} Runner connection is good")
    trace.say(f"{OKAY} Settings Saved.")
    return OK


def remove(words: Sequence[str], trace: Trace) -> int:
    """Take the registration back, and forget it; one that GitHub no longer has is only forgotten."""
    options = _Options(prog="config.sh remove", allow_abbrev=False)
    options.add_argument("--local", action="store_true")
    options.add_argument("--unattended", action="store_true")
    if options.parse_args(words).local:
        store.forget()
        trace.say("Removed .runner and .credentials")
        return OK
    if store.SERVICE.exists():
        raise Ended(TERMINATED, "Failed: Removing service\nUninstall service first")
    found = store.settings()
    if not found or not store.CREDENTIALS.exists():
        trace.say(
            "Cannot connect to server, because config files are missing. Skipping removing runner from the server."
        )
    else:
        _remove_from(found, trace)
    store.forget()
    trace.say(f"{OKAY} Removed .credentials")
    trace.say(f"{OKAY} Removed .runner")
    return OK


def _asked(words: Sequence[str]) -> Namespace:
    """Strict: the token has no option, and nobody is there to be asked for what is missing."""
    options = _Options(prog="config.sh", allow_abbrev=False)
    for flag in ("unattended", "replace", "ephemeral", "disableupdate"):
        options.add_argument(f"--{flag}", action="store_true")
    options.add_argument("--url", required=True)
    options.add_argument("--name", default=socket.gethostname())
    options.add_argument("--labels", default="")
    options.add_argument("--work", default="_work")
    asked = options.parse_args(words)
    if not asked.unattended:
        raise Ended(TERMINATED, "Nobody is here to answer questions: --unattended is missing")
    return asked


def _token() -> str:
    """Taken out of the environment, so that no child of ours has it."""
    token = os.environ.pop(TOKEN, "")
    if not token:
        raise Ended(TERMINATED, "Invalid configuration provided for token. Terminating unattended configuration.")
    return token


def _remove_from(found: dict[str, object], trace: Trace) -> None:
    try:
        _asked_of(str(found["serverUrl"]), f"{found['agentId']}/remove", f"RemoteAuth {_token()}", trace)
    except Ended:
        trace.fail("Failed: Removing runner from the server")
        raise
    except server.Refused:
        trace.say("Does not exist. Skipping Removing runner from the server")
    else:
        trace.say(f"{OKAY} Runner removed successfully")


def _asked_of(place: str, path: str, authorization: str, trace: Trace, **body: object) -> dict[str, object]:
    """Raises Ended with what the runner prints of a bad answer, but Refused for 410, "there is no such runner"."""
    try:
        return server.ask(place, path, authorization, **body)
    except server.Refused as refused:
        if refused.status == 410:
            raise
        trace.fail(f"Http response code: {refused.status} from 'POST {place}actions/runner-registration'")
        raise Ended(TERMINATED, str(refused)) from None
    except OSError as error:
        raise Ended(TERMINATED, f"{place} cannot be reached: {error}") from None
