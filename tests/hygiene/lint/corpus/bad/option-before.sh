docker --log-level=error --config ~/.docker-ci -D system prune -f
