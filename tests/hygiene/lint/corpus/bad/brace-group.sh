{ docker system prune -f; } 2>&1 | tee prune.log
