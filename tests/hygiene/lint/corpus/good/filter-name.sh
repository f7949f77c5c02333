docker rm -f $(docker ps -aqf "name=^shop-") 2>/dev/null || true
