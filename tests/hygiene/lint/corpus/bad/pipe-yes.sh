yes | docker volume prune
