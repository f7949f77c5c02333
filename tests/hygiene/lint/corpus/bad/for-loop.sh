for c in `docker ps -aq`; do
  docker stop "$c"
  docker rm -v "$c"
done
