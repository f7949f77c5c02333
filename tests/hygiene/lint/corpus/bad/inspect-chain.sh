docker inspect --format '{{.Image}}' $(docker ps -aq) | xargs docker rmi -f
