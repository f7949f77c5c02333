docker images --format '{{.Repository}}:{{.Tag}}' | grep '^shop:ci-' | xargs -r docker rmi
