docker-prune-report --dry-run
./scripts/docker/prune.sh --check
which docker prune
