docker compose ps -q | xargs -r docker inspect
docker compose kill
docker compose rm -fsv
