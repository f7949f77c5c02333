docker system df -v
docker info
docker image ls
docker builder du
