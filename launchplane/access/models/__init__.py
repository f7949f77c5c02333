"""People and what was changed of their accounts, the programs that are let in, and counts of what comes too often."""

from launchplane.access.models.accounts import CredentialChange, GivenByDefault, Tries, User
from launchplane.access.models.api_token import ApiToken
from launchplane.access.models.workflow import IssuerKeys, SpentToken, TrustedWorkflow

__all__ = [
    "ApiToken",
    "CredentialChange",
    "GivenByDefault",
    "IssuerKeys",
    "SpentToken",
    "Tries",
    "TrustedWorkflow",
    "User",
]
