"""What asking GitHub gives, beside a listing. Pure."""

from datetime import datetime

from lanes.contracts import GithubRunner
from launchplane.hosts.contracts import Contract


class Looked(Contract):
    """One runner, asked for by its id. None is no proof that it is gone: a scope that is hidden looks the same."""

    runner: GithubRunner | None
    request_id: str
    seen_at: datetime


class Deleted(Contract):
    """A registration of ours is gone. `was_there` is False if it had been gone before."""

    was_there: bool
    request_id: str
