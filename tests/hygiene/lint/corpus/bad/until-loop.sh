until docker system prune -f; do sleep 5; done
