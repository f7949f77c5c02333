cleanup() {
  docker compose -p "$PROJECT" down -v || true
}
trap cleanup EXIT
trap 'docker rm -f "shop-$$"' TERM
