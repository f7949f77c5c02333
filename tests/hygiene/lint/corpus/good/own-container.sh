docker stop "$CONTAINER" && docker rm -v "$CONTAINER"
