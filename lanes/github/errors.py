"""What can go wrong with GitHub. Each problem has a code for programs, a sentence, and GitHub's own request id."""

from datetime import datetime

from launchplane.problems import Problem, Refused, Waits


class GithubProblem(Problem):
    """GitHub was not asked, or did not do it. `request_id` is what its support asks for; "" if there was no answer."""

    def __init__(self, code: str, sentence: str, *, request_id: str = "") -> None:
        super().__init__(code, sentence)
        self.request_id = request_id


class GithubDenied(GithubProblem, Refused):
    """Not with these credentials, or not there: nothing more is asked of this scope until somebody changes that."""


class GithubLimited(GithubProblem, Waits):
    """GitHub wants to be left alone until `try_again_at`. Whoever asks before is refused without a call."""

    def __init__(self, sentence: str, *, try_again_at: datetime, request_id: str = "") -> None:
        super().__init__("github_limited", sentence, request_id=request_id)
        self.try_again_at = try_again_at


class RunnerBusy(GithubProblem, Waits):
    """The runner works on a job, so GitHub keeps it."""


class GithubUnreachable(GithubProblem):
    """No answer, or none that could be understood. What was asked for may have been done all the same: look."""
