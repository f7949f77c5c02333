docker images --format '{{.Repository}}:{{.Tag}}' | grep -v production | xargs docker rmi
