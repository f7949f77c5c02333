docker buildx create --driver docker-container --use
docker buildx build --push .
docker buildx rm
