"""A runner host to spoil: Debian with systemd, sshd, sudo and a Docker engine of its own, in one container of ours."""
