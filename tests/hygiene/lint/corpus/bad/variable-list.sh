OLD_IMAGES=$(docker images --all --quiet)
if [ -n "$OLD_IMAGES" ]; then
  docker rmi --force $OLD_IMAGES || true
fi
