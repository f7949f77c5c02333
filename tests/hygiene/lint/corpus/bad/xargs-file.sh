xargs -a <(docker images -q) docker rmi
