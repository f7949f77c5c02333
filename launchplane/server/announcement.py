"""The block that ends a start. Passwords go to standard output once, and nowhere else."""

from collections.abc import Sequence

from launchplane.hosts.models import Host
from launchplane.server.first_start import NewAccount


def announcement(*, url: str, hosts: Sequence[Host], accounts: Sequence[NewAccount]) -> str:
    """The block at the end of a start: where it is, who can log in, and what to do next."""
    lines = ["", "Launchplane is running.", "", _line("Address", url), *_host_lines(url, hosts)]
    for title, account in zip(("Log in as", ""), accounts, strict=False):
        lines.append(_line(title, f"{account.username:<10}{account.password}"))
    if accounts:
        lines += [
            "",
            "The passwords are shown only now: note them, and change them after the first login.",
            "To add people, make an administrator: .venv/bin/python manage.py createsuperuser",
        ]
    lines += ["", _next_step(hosts), "Ctrl-C stops everything.", ""]
    return "\n".join(lines)


def _line(title: str, text: str) -> str:
    return f"  {title:<12}{text}"


def _host_lines(url: str, hosts: Sequence[Host]) -> list[str]:
    lines = []
    for number, host in enumerate(hosts):
        note = " (a private engine with planted leftovers: try anything on it)" if host.is_sandbox else ""
        lines.append(_line("" if number else "Host", f"{url}{host.get_absolute_url()}{note}"))
    return lines


def _next_step(hosts: Sequence[Host]) -> str:
    if not hosts:
        return "There is no host yet: the dashboard says how to add one."
    return "Next: log in, open the host, and ask of anything you see why it is still there."
