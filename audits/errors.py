"""What can go wrong with evidence."""

from launchplane.problems import Refused


class AuditRefused(Refused):
    """Evidence could not be stored, so what it was about must not begin (H56)."""

    def __init__(self, sentence: str) -> None:
        super().__init__("audit_refused", sentence)


class Unwritable(AuditRefused):
    """What a record was to say cannot be written down, or is too long; another one could be stored."""


class Forked(AuditRefused):
    """The segments and the database do not belong together: one of them is not what it was."""
