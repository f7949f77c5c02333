sudo find /var/lib/docker/overlay2 -mindepth 1 -maxdepth 1 -mtime +7 -exec rm -rf {} +
sudo find /var/lib/docker/volumes -mtime +30 -delete
