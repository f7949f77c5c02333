\docker system prune -f
