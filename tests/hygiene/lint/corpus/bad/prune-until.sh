docker image prune --all --force --filter until=24h
