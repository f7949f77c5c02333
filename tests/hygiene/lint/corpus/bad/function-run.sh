run() {
  echo "+ $*" >&2
  "$@"
}
run docker buildx prune --all --force
