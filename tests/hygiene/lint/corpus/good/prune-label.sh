docker volume prune --all --force --filter label=com.example.app=shop
docker container prune -f --filter "label=com.example.app=shop"
