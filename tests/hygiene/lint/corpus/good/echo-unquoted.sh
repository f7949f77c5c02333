echo try docker system prune
