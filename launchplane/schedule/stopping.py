"""Whether this cluster of workers was asked to end: known to all of its processes, so a long task can end early."""

import multiprocessing

# shared memory, inherited by whatever the cluster forks; a lock could not be taken in a signal handler
_stopping = multiprocessing.RawValue("b", 0)


def say_stopping() -> None:
    """From now on `is_stopping` holds here and in every process that was forked from this one."""
    _stopping.value = 1


def is_stopping() -> bool:
    """Whether the cluster that this process belongs to was asked to end."""
    return bool(_stopping.value)
