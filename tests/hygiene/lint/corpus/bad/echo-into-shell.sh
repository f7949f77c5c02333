echo "docker volume prune -f" | sudo sh
