docker buildx prune --builder shop --force
docker buildx rm shop
