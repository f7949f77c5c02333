"""A lane's systemd unit, made of what an administrator wrote into host.json, and of no token (M57).

What the settings are for, and what a job can still do, is in docs/explanation/lane-units.md.
"""

from __future__ import annotations

from onhost import VERSION
from onhost.config import Lane

MARK = "# Written by launchplane-unit"
STOP_SECONDS = 300

TEXT = """\
{mark} {version} for lane {name}. It is replaced as a whole; add to it with `systemctl edit`.
[Unit]
Description=Launchplane runner lane {name}
Wants=network-online.target
After=network-online.target docker.service
StartLimitIntervalSec=900
StartLimitBurst=5

[Service]
Type=exec
User={user}
WorkingDirectory={directory}
ExecStart={directory}/run.sh
Environment=RUNNER_MANUALLY_TRAP_SIG=1
Environment=ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE=1
Environment=HOME={home}
Environment=DOCKER_CONFIG={home}/.docker
UMask=0077

# the listener's own exits are 0 also when it gave up, so any end counts, and five in a quarter of an hour are enough
Restart=always
RestartSec=30
RestartPreventExitStatus=7
SuccessExitStatus=130 143
OOMPolicy=continue

# run.sh hands the first signal on to listener and job; whatever is left of them when it has ended is killed
KillMode=mixed
KillSignal=SIGTERM
TimeoutStopSec={stop_seconds}

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=tmpfs
BindPaths={directory} {home}
ReadWritePaths={directory} {home}
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap

[Install]
WantedBy=multi-user.target
"""


def render(lane: Lane) -> str:
    """The unit file of `lane`. The same lane always gives the same bytes."""
    return TEXT.format(
        mark=MARK,
        version=VERSION,
        name=lane.name,
        user=lane.user,
        directory=lane.directory,
        home=lane.home,
        stop_seconds=STOP_SECONDS,
    )
