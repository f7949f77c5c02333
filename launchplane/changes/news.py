"""Whether anybody may have set, frozen or taken back something since one looked last."""

from time import monotonic

from audits import head

# what nobody recorded (a row changed at a database's own prompt) is seen after that many seconds all the same
AT_MOST_SECONDS = 1.0


class News:
    """Every edit commits together with its audit record: as long as the head of the chain stays, nothing was edited.

    That is one short query in place of many. Look at what you need after `any` was True, never before.
    """

    def __init__(self) -> None:
        self._seq: int | None = None
        self._asked_at = 0.0

    def any(self) -> bool:
        """True at first, after anything was recorded, and a second after it was True last."""
        seq, now = head.seq(), monotonic()
        if seq == self._seq and now - self._asked_at < AT_MOST_SECONDS:
            return False
        self._seq, self._asked_at = seq, now
        return True
