docker buildx prune --force --keep-storage 10gb
