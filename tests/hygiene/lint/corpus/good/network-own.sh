docker network rm "shop-$BUILD_ID" || true
docker network prune -f --filter label=shop
