docker rmi $(docker images | awk '/^shop-ci/ {print $3}')
