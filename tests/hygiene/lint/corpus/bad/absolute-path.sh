/usr/local/bin/docker image prune -af
