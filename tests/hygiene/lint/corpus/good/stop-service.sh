docker service rm shop_web
docker stack rm shop
