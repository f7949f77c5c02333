for id in $(docker ps -q); do
  docker inspect --format '{{.Name}}' "$id"
done
