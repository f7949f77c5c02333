if ! docker system prune -f >/dev/null 2>&1; then exit 1; fi
