docker volume ls -q --filter name=shop_ci | while read -r volume; do
  docker volume rm "$volume"
done
