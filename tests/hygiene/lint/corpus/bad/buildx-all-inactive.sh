docker buildx rm --all-inactive --force
