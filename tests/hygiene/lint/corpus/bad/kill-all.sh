docker kill $(docker ps -q) 2>/dev/null || true
