"""A one-time token while it is alive, and afterwards: looked for everywhere but where it has to be."""

from tests.proof.lane import secrets
from tests.proof.lane.place import SCOPE, Place
from tests.proof.lane.record import require


def watch(place: Place, address: str) -> None:
    """Look for every token the next time that config.sh waits for an answer from `address`.

    There it is in the control plane's memory and in config.sh's environment, and may be in no other place.
    """
    place.watched_for[address] = []

    def look() -> None:
        place.watched_for[address].append(found := everywhere(place))
        place.found_secrets.extend(found)

    place.github.meanwhile(f"POST {address}", look)


def require_nowhere(place: Place, address: str) -> None:
    """Raises NotProven unless somebody looked when config.sh called `address`, and nothing was found then or now."""
    require(len(place.watched_for.get(address, [])) == 1, f"config.sh did not call {address} while somebody looked")
    require(not place.found_secrets, f"while config.sh ran, a token was in {place.found_secrets}")
    found = everywhere(place)
    require(not found, f"afterwards a token is in {found}")


def everywhere(place: Place) -> list[str]:
    """Each place that shows any token that was ever made for the lane's repository."""
    tokens = place.github.one_time_of(SCOPE)
    return [
        found
        for token in tokens
        for found in (
            *secrets.on_the_host(place.host, token),
            *secrets.at_the_control_plane(place.server.state, token),
        )
    ]
