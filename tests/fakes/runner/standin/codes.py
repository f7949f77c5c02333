"""How the listener ends, as the scripts around it understand it."""

OK = 0
TERMINATED = 1
RETRY = 2
UPDATING = 3
UPDATING_ONCE = 4
SESSION_CONFLICT = 5
VERSION_DEPRECATED = 7
DEPRECATED_IN_WORDS = "ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE"

# a worker's status is this and its job's result
RESULTS = {100: "Succeeded", 102: "Failed", 103: "Canceled"}


class Ended(Exception):
    """The listener has to end, with this status and after these words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
