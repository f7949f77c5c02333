docker system prune --help
