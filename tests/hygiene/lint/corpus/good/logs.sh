docker logs shop > /var/log/shop.log
docker cp shop:/var/lib/docker/x ./x
