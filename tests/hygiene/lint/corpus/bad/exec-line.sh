exec docker system prune -f
