docker buildx prune --builder default --all --force
