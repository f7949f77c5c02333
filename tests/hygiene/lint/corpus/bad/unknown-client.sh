# the client comes from the caller
"$CONTAINER_CLI" volume prune --force
