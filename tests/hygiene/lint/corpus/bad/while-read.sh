docker images --format '{{.ID}}' | sort -u | while read -r id; do
  echo "removing $id"
  docker image rm --force "$id"
done
