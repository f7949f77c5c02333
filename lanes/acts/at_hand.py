"""One lane during one run: its record, its host, GitHub, and a token between two steps."""

from contextlib import AbstractContextManager
from typing import Final

from lanes.acts.holding import Held
from lanes.acts.lane_host import LaneHost
from lanes.contracts import Desired, Observed
from lanes.github.client import Github
from lanes.github.connect import github
from lanes.github.tokens import OneTimeToken
from lanes.looking import observe_now
from lanes.models import Lane
from launchplane.problems import Refused

ASKED_BY: Final = "a change"


class LaneAtHand:
    """`desired` is the record as it is now: it follows what the run registers and takes back.

    Raises HostProblem when the host's record says of no way to reach it, GithubDenied without credentials.
    """

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.host = LaneHost(lane.host)
        self.github: Github = github()
        self.desired: Desired = lane.as_desired()
        self._token: OneTimeToken | None = None
        self._token_held = Held()

    def observe(self) -> Observed:
        """A new look at the lane, which is stored."""
        return observe_now(self.lane, asked_by=ASKED_BY)

    def hold_token(self, asking: AbstractContextManager[OneTimeToken]) -> OneTimeToken:
        """Ask for a token, and have it until it is dropped. Raises GithubProblem."""
        self.drop_token()
        self._token = self._token_held.enter(asking)
        return self._token

    def token(self) -> OneTimeToken:
        """The token of the step before. Raises Refused `no_token_held`: another is a new plan's to ask for (M61)."""
        if self._token is None:
            raise Refused("no_token_held", "No token is held any more. Plan the lane again: it asks for a new one.")
        return self._token

    def drop_token(self) -> None:
        """Hold no token: it was used, or will not be."""
        self._token = None
        self._token_held.let_go()

    def record_agent(self, agent_id: int | None) -> None:
        """Put on record which runner is ours, or that none is. Raises Refused if the record has changed meanwhile.

        An id means nothing elsewhere: a record that somebody gave another scope or place has not this runner.
        """
        still = {name: getattr(self.desired, name) for name in ("scope", "registration_root", "service_user")}
        ours = Lane.objects.filter(pk=self.lane.pk, agent_id=self.desired.agent_id, **still)
        if not ours.update(agent_id=agent_id):
            raise Refused(
                "record_changed",
                f"GitHub's id of {self.desired.lane_name} is {agent_id or 'none'}, and could not be put on record: the "
                "record was changed meanwhile. Look at both.",
            )
        self.lane.agent_id = agent_id
        self.desired = self.desired.model_copy(update={"agent_id": agent_id})
