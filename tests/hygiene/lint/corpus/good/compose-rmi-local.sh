docker compose --file ci.yml down --rmi local --volumes
