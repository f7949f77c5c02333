"""What can go wrong with evidence."""

from launchplane.problems import Problem


class AuditRefused(Problem):
    """Evidence could not be stored, so what it was about must not begin (H56)."""

    def __init__(self, sentence: str) -> None:
        super().__init__("audit_refused", sentence)
