docker run --rm -v /var/run/docker.sock:/var/run/docker.sock \
  docker:27-cli docker system prune --all --force
