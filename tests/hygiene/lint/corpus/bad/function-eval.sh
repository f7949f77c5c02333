perform() {
  echo "$1"
  eval "$1"
}
perform "docker volume prune -f"
