vol=$(docker volume create)
docker run --rm -v "$vol:/data" shop
docker volume rm "$vol"
