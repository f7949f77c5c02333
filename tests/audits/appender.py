"""Appends in a process of its own: `python -m tests.audits.appender NAME THREADS EACH`.

It says "ready" when all its threads are connected, and begins at the first line that comes in.
"""

import sys
from collections.abc import Callable
from threading import Barrier, Thread

import django


def main(name: str, threads: int, each: int) -> int:
    django.setup()
    failed: list[BaseException] = []
    connected = Barrier(threads + 1)
    begin = Barrier(threads + 1)
    racing = [Thread(target=noting(failed, worker(f"{name}-{n}", each, connected, begin))) for n in range(threads)]
    for thread in racing:
        thread.start()
    connected.wait(60)
    print("ready", flush=True)
    sys.stdin.readline()
    begin.wait(60)
    for thread in racing:
        thread.join()
    return len(failed)


def worker(name: str, each: int, connected: Barrier, begin: Barrier) -> Callable[[], None]:
    """Appends `each` records under keys of its own, on a connection of its own."""

    def work() -> None:
        from django.db import connection

        from tests.audits.making import a_record

        connection.ensure_connection()
        connected.wait(60)
        begin.wait(60)
        for number in range(each):
            a_record(key=f"{name}-{number}")
        connection.close()

    return work


def noting(failed: list[BaseException], work: Callable[[], None]) -> Callable[[], None]:
    def noted() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)
            raise

    return noted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
