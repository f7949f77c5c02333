echo "it's
docker rmi shop:1
