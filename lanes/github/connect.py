"""The GitHub that the settings name: one client for each process, so that what it keeps is asked for once."""

from functools import lru_cache

from django.conf import settings
from django.utils import timezone
from github.Auth import Auth

from lanes.github.access import Access, AppAccess, TokenAccess
from lanes.github.client import Github
from lanes.github.errors import GithubDenied
from lanes.github.session import Session


def github() -> Github:
    """Raises GithubDenied where the settings name no credentials."""
    return _github(settings.GITHUB_API_URL, settings.GITHUB_TOKEN, settings.GITHUB_APP_ID, settings.GITHUB_APP_KEY)


@lru_cache(maxsize=1)
def _github(url: str, token: str, app_id: str, app_key: str) -> Github:
    def connect(auth: Auth) -> Session:
        return Session(base_url=url, auth=auth, clock=timezone.now)

    access: Access
    if token:
        access = TokenAccess(token, connect=connect)
    elif app_id:
        access = AppAccess(app_id, app_key, connect=connect, clock=timezone.now)
    else:
        raise GithubDenied(
            "github_not_configured",
            "Launchplane has no credentials for GitHub. Set LAUNCHPLANE_GITHUB_TOKEN_FILE, "
            "or LAUNCHPLANE_GITHUB_APP_ID and LAUNCHPLANE_GITHUB_APP_KEY_FILE.",
        )
    return Github(access, clock=timezone.now)
