freed=$(docker system prune -f | tail -1)
echo "$freed"
