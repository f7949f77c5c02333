rm -rf ./docker/build "$HOME/.docker/buildx/own" /srv/shop/var/lib/docker-compose
