sudo tee /etc/systemd/system/docker-tidy.service >/dev/null <<UNIT
[Service]
Type=oneshot
ExecStart=/usr/bin/docker system prune --all --force
UNIT
