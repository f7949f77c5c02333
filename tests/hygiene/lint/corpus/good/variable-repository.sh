REPO=registry.example.org/shop
docker images -q "$REPO" | sort -u | xargs -r docker rmi -f
