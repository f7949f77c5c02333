"""The addresses of the stand-in for GitHub, and what each answers.

What its runner package calls is ours, not GitHub's:

    POST /_runner/register    RemoteAuth TOKEN   201 {"id", "secret"}; 409 the name is taken (a lane never replaces)
    POST /_runner/replace     RemoteAuth TOKEN   the same for `config.sh --replace`: it takes over a name that is taken
    POST /_runner/ID/online   Bearer SECRET      204; 409 another session; 403 version deprecated
    POST /_runner/ID/poll     Bearer SECRET      200 {"job", "run"}, or as told; 204 nothing to do; 409 not online
    POST /_runner/ID/done     Bearer SECRET      204; an ephemeral runner is gone then
    POST /_runner/ID/offline  Bearer SECRET      204
    POST /_runner/ID/remove   RemoteAuth TOKEN   204; 410 the runner is gone already

TOKEN is a registration token, or a remove token for `remove`, of the runner's scope. A runner whose registration was
deleted gets 404. Bodies are JSON: `register` takes scope, name, labels, version and ephemeral, `online` a session (any
text that is this process's own), `done` the job, and its result and log.

A package is downloaded as at GitHub: by a redirection, and by nobody who shows a credential there.
"""

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.fakes.github_things import OWN_LABELS, Asked, Credential, Finished, Refusal, Runner
from tests.fakes.loopback import Reply

if TYPE_CHECKING:
    from tests.fakes.github import GithubServer

SCOPE = r"/(?P<kind>repos|orgs)/(?P<scope>[A-Za-z0-9_-]+(?:/[A-Za-z0-9._-]+)?)"
RUNNERS = rf"{SCOPE}/actions/runners"
ONE = rf"{RUNNERS}/(?P<id>[0-9]+)"
RUNNER = r"/_runner/(?P<id>[0-9]+)"
OLDEST_TO_REGISTER = (2, 329, 0)
PERMISSIONS = {"administration": "repos", "organization_self_hosted_runners": "orgs"}

Handler = Callable[["GithubServer", Asked], Reply]


def listing(github: "GithubServer", asked: Asked) -> Reply:
    size, page = (_number(asked, name, default) for name, default in (("per_page", 30), ("page", 1)))
    if not 1 <= size <= 100 or page < 1:
        raise Refusal(400, "per_page is 1 to 100, page is from 1 on")
    runners = github.of(asked.scope)
    shown = runners[(page - 1) * size : page * size]
    return Reply(200, {"total_count": len(runners), "runners": [runner.document() for runner in shown]})


def one(github: "GithubServer", asked: Asked) -> Reply:
    return Reply(200, github.runner_of(asked).document())


def delete(github: "GithubServer", asked: Asked) -> Reply:
    """GitHub has been seen to delete a runner in the middle of a job: what counts is what it knows of it."""
    runner = github.runner_of(asked)
    if runner.document()["busy"]:
        said = f'Bad request - Runner "{runner.name}" is currently running a job and cannot be deleted.'
        raise Refusal(422, said)
    del github.runners[runner.id]
    return Reply(204)


def registration_token(github: "GithubServer", asked: Asked) -> Reply:
    _only(asked)
    return github.make_token("registration", asked.scope)


def remove_token(github: "GithubServer", asked: Asked) -> Reply:
    _only(asked)
    return github.make_token("remove", asked.scope)


def downloads(github: "GithubServer", asked: Asked) -> Reply:
    return Reply(200, github.downloads)


def deprecation(github: "GithubServer", asked: Asked) -> Reply:
    """GitHub leaves `registration_deprecates_at` out, although it documents it (seen in September 2026)."""
    known = github.deprecations.get(asked.groups["version"])
    if known is None:
        raise Refusal(404, "Not Found")
    return Reply(200, {"runner_version": asked.groups["version"], **known})


def labels(github: "GithubServer", asked: Asked) -> Reply:
    documents = github.runner_of(asked).label_documents()
    return Reply(200, {"total_count": len(documents), "labels": documents})


def set_labels(github: "GithubServer", asked: Asked) -> Reply:
    github.runner_of(asked).labels = _labels(asked)
    return labels(github, asked)


def add_labels(github: "GithubServer", asked: Asked) -> Reply:
    runner = github.runner_of(asked)
    runner.labels += [label for label in _labels(asked) if label not in runner.labels]
    return labels(github, asked)


def remove_label(github: "GithubServer", asked: Asked) -> Reply:
    runner, name = github.runner_of(asked), asked.groups["label"]
    if name in OWN_LABELS:
        raise Refusal(422, "Read-only labels cannot be removed")
    if name not in runner.labels:
        raise Refusal(404, "Not Found")
    runner.labels.remove(name)
    return labels(github, asked)


def installation(github: "GithubServer", asked: Asked) -> Reply:
    number = github.installations.get(asked.scope.partition("/")[0])
    if number is None:
        raise Refusal(404, "Not Found")
    return Reply(200, {"id": number, "app_slug": "launchplane"})


def access_token(github: "GithubServer", asked: Asked) -> Reply:
    """For all repositories of the installation, and for exactly one permission."""
    number, wanted = int(asked.groups["id"]), _only(asked, "permissions")["permissions"]
    owners = [owner for owner, its in github.installations.items() if its == number]
    if not owners or len(wanted) != 1:
        raise Refusal(404, "Not Found")
    ((permission, level),) = wanted.items()
    token, ends = f"ghs_{secrets.token_urlsafe(240)}", github.now() + timedelta(hours=1)
    github.credentials[token] = Credential(
        f"installation-{number}-{level}", level, kinds=(PERMISSIONS[permission],), owners=owners, expires_at=ends
    )
    return Reply(201, {"token": token, "expires_at": ends.isoformat(timespec="seconds"), "permissions": wanted})


def register(github: "GithubServer", asked: Asked) -> Reply:
    told = _only(asked, "scope", "name", "labels", "version", "ephemeral")
    github.redeem(asked, "registration", told["scope"].lower())
    if _same_named(github, told) is not None:
        raise Refusal(409, f"A runner exists with the same name {told['name']}.")
    if tuple(int(part) for part in told["version"].split(".")) < OLDEST_TO_REGISTER:
        raise Refusal(403, f"Runner version {told['version']} is deprecated and cannot register.")
    labels = [label for label in told["labels"] if label.lower() not in map(str.lower, OWN_LABELS)]
    runner = github.add_runner(
        told["scope"], told["name"], *labels, version=told["version"], ephemeral=told["ephemeral"]
    )
    return Reply(201, {"id": runner.id, "secret": runner.secret})


def replace(github: "GithubServer", asked: Asked) -> Reply:
    """What no lane may ever ask for: that it was asked for is in `calls`, whether a name was taken or not."""
    told = _only(asked, "scope", "name", "labels", "version", "ephemeral")
    github.redeem(asked, "registration", told["scope"].lower())
    taken = _same_named(github, told)
    if taken is None:
        return register(github, asked)
    taken.labels, taken.version, taken.secret = list(told["labels"]), told["version"], secrets.token_hex(20)
    return Reply(201, {"id": taken.id, "secret": taken.secret})


def online(github: "GithubServer", asked: Asked) -> Reply:
    runner, session = _runner_itself(github, asked), _only(asked, "session")["session"]
    ends = github.deprecations.get(runner.version, {}).get("runtime_deprecates_at")
    if ends and datetime.fromisoformat(ends) <= github.now():
        raise Refusal(403, f"Runner version v{runner.version} is deprecated and cannot receive messages.")
    if runner.online and runner.session != session:
        raise Refusal(409, "A session for this runner already exists.")
    runner.online, runner.session, runner.heard_at = True, session, github.now()
    return Reply(204)


def poll(github: "GithubServer", asked: Asked) -> Reply:
    runner = _runner_itself(github, asked)
    if not runner.online or runner.job is not None:
        raise Refusal(409, "not online, or at work already")
    runner.heard_at = github.now()
    if runner.told:
        return Reply(200, runner.told.pop(0))
    job = github.take_job(runner)
    return Reply(204) if job is None else Reply(200, {"job": job[0], "run": job[1]})


def done(github: "GithubServer", asked: Asked) -> Reply:
    runner = _runner_itself(github, asked)
    told = _only(asked, "job", "result", "log")
    if told["job"] != runner.job:
        raise Refusal(409, "another job, or none")
    runner.job = None
    github.finished[told["job"]] = Finished(runner.name, told["result"], told["log"])
    if runner.ephemeral:
        del github.runners[runner.id]
    return Reply(204)


def offline(github: "GithubServer", asked: Asked) -> Reply:
    runner = _runner_itself(github, asked)
    runner.online, runner.session = False, ""
    return Reply(204)


def remove(github: "GithubServer", asked: Asked) -> Reply:
    """The token is looked at first: without one nobody learns whether the runner is there."""
    runner = github.runners.get(int(asked.groups["id"]))
    github.redeem(asked, "remove", None if runner is None else runner.scope)
    if runner is None:
        raise Refusal(410, "Gone")
    del github.runners[runner.id]
    return Reply(204)


def release(github: "GithubServer", asked: Asked) -> Reply:
    """On to where the files are: GitHub keeps them at another address."""
    _without_credentials(asked)
    if asked.groups["filename"] not in github.packages:
        raise Refusal(404, "Not Found")
    return Reply(302, None, {"Location": f"{github.url}/_release-assets/{asked.groups['filename']}"})


def asset(github: "GithubServer", asked: Asked) -> Reply:
    _without_credentials(asked)
    if asked.groups["filename"] not in github.packages:
        raise Refusal(404, "Not Found")
    return Reply(200, github.packages[asked.groups["filename"]])


def _without_credentials(asked: Asked) -> None:
    if "authorization" in asked.request.headers:
        raise Refusal(400, "a credential was shown to who only keeps files")


def _same_named(github: "GithubServer", told: dict[str, Any]) -> Runner | None:
    named = (runner for runner in github.of(told["scope"]) if runner.name.lower() == told["name"].lower())
    return next(named, None)


def _number(asked: Asked, name: str, default: int) -> int:
    text = asked.request.parameters.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise Refusal(400, f"{name} is no number")
    return int(text)


def _only(asked: Asked, *names: str) -> dict[str, Any]:
    if set(asked.body) != set(names):
        raise Refusal(400, f"the body must have {', '.join(names) or 'nothing'}, and no more")
    return asked.body


def _labels(asked: Asked) -> list[str]:
    names: list[str] = _only(asked, "labels")["labels"]
    if len(names) > 100 or any(name in OWN_LABELS for name in names):
        raise Refusal(422, "Invalid labels")
    return names


def _runner_itself(github: "GithubServer", asked: Asked) -> Runner:
    runner = github.runner_of(asked)
    if asked.request.headers.get("authorization") != f"Bearer {runner.secret}":
        raise Refusal(401, "Bad credentials")
    return runner


ROUTES: list[tuple[str, str, set[str], Handler]] = [
    ("GET", RUNNERS, {"per_page", "page"}, listing),
    ("GET", rf"{RUNNERS}/downloads", set(), downloads),
    ("GET", rf"{RUNNERS}/deprecations/(?P<version>[0-9.]+)", set(), deprecation),
    ("POST", rf"{RUNNERS}/registration-token", set(), registration_token),
    ("POST", rf"{RUNNERS}/remove-token", set(), remove_token),
    ("GET", ONE, set(), one),
    ("DELETE", ONE, set(), delete),
    ("GET", rf"{ONE}/labels", set(), labels),
    ("PUT", rf"{ONE}/labels", set(), set_labels),
    ("POST", rf"{ONE}/labels", set(), add_labels),
    ("DELETE", rf"{ONE}/labels/(?P<label>[^/]+)", set(), remove_label),
    ("GET", rf"{SCOPE}/installation", set(), installation),
    ("POST", r"/app/installations/(?P<id>[0-9]+)/access_tokens", set(), access_token),
    ("GET", r"/actions/runner/releases/download/v(?P<version>[0-9.]+)/(?P<filename>[a-z0-9.-]+)", set(), release),
    ("GET", r"/_release-assets/(?P<filename>[a-z0-9.-]+)", set(), asset),
    ("POST", r"/_runner/register", set(), register),
    ("POST", r"/_runner/replace", set(), replace),
    ("POST", rf"{RUNNER}/online", set(), online),
    ("POST", rf"{RUNNER}/poll", set(), poll),
    ("POST", rf"{RUNNER}/done", set(), done),
    ("POST", rf"{RUNNER}/offline", set(), offline),
    ("POST", rf"{RUNNER}/remove", set(), remove),
]
