docker run -d --cidfile /tmp/shop.cid shop
docker rm -f "$(cat /tmp/shop.cid)"
