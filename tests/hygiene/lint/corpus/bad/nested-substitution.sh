docker rmi -f $(docker image ls -q --filter "before=$(docker image ls -q | head -n 1)")
