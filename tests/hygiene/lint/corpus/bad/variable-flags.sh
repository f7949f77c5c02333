flags=(--force)
flags+=(--volumes)
docker system prune "${flags[@]}"
