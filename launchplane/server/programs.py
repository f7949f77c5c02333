"""The programs that run under the supervisor: the pages, and one cluster of workers for each queue."""

import errno
import http.client
import socket
import sys
from urllib.parse import urlsplit

from django.conf import settings

from launchplane.problems import Problem
from launchplane.schedule.heartbeat import QUEUES
from launchplane.server.supervisor import Program

# a removal is given up after 120 s (launchplane.hosts.local_removals), and looked at after that
ITEM_SECONDS = 150.0


def programs() -> list[Program]:
    """gunicorn, and a django-q cluster for each queue."""
    python = sys.executable
    manage = str(settings.BASE_DIR / "manage.py")
    web = Program("web", [python, "-m", "gunicorn", "--config", "python:launchplane.server.gunicorn_config"])
    return [web, *(_workers(queue, [python, manage, "work"]) for queue in QUEUES)]


def _workers(queue: str, argv: list[str]) -> Program:
    """Whoever changes hosts may finish the removal in hand, which is cheaper than a change in doubt."""
    named = {"Q_CLUSTER_NAME": queue}
    return Program(queue, argv, named, stop_seconds=ITEM_SECONDS) if queue == "apply" else Program(queue, argv, named)


def require_free_port() -> None:
    """Raise Problem `port_in_use` or `address_not_usable` before anything is started in vain."""
    family = socket.AF_INET6 if ":" in settings.BIND else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.BIND, settings.PORT))
        except OSError as error:
            raise _port_problem(error) from error


def _port_problem(error: OSError) -> Problem:
    where = f"{settings.BIND} port {settings.PORT}"
    if error.errno == errno.EADDRINUSE:
        return Problem(
            "port_in_use",
            f"Something else listens on {where}: end it, or set LAUNCHPLANE_PORT to a free port.",
        )
    return Problem(
        "address_not_usable", f"Cannot listen on {where} ({error.strerror}): look at LAUNCHPLANE_BIND and _PORT."
    )


def is_healthy() -> bool:
    """True if GET /health answers 200 within two seconds."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.BIND, settings.BIND)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(here, settings.PORT, timeout=2)
    try:
        connection.request("GET", "/health", headers={"Host": urlsplit(settings.PUBLIC_URL).netloc})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
