docker ps -a --filter status=exited -q | xargs -I{} -P4 docker rm {}
