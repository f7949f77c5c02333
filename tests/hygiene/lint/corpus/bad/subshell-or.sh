(cd deploy && docker compose down) || true; (docker network prune -f)
