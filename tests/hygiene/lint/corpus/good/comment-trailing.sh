make test # never: docker system prune -af
