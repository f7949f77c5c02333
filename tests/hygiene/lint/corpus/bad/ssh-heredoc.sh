ssh runner@ci-1.example.org 'bash -s' <<'REMOTE'
set -e
docker volume prune --force
REMOTE
