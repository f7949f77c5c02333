docker --context ci-1 system prune --force
