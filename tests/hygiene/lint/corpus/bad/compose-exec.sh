docker compose exec -T runner docker system prune -f
