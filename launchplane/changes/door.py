"""The one door through which an approval comes: a person at the browser. No token, no shell, no program has it."""

from launchplane.access.models import User
from launchplane.access.people import Principal
from launchplane.problems import Refused


def require_person_at_browser(by: Principal) -> User:
    """Who decides (X2). Raises Refused `not_permitted` for whoever comes from elsewhere, even in a person's name."""
    if by.user is None or not by.user.is_active or by.source != "web":
        raise Refused("not_permitted", "Only a person can approve, in the browser and with their password.")
    return by.user
