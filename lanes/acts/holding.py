"""What a run holds between two steps and has to give back, whichever way it ends: a token."""

from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar
from weakref import finalize

T = TypeVar("T")


class Held:
    """Things that are entered one after the other and left together.

    A run that is dropped without a word, as after a lost claim, gives them back all the same: with this object.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        finalize(self, self._stack.close)

    def enter(self, thing: AbstractContextManager[T]) -> T:
        """Enter `thing`, which stays entered until `let_go`."""
        return self._stack.enter_context(thing)

    def let_go(self) -> None:
        """Leave everything, the last first. Whatever is entered afterwards is held anew."""
        self._stack.close()
