case "${1:-}" in
  soft) docker compose down ;;
  hard|all)
    docker compose down
    docker system prune --volumes -f
    ;;
  *) echo "usage: $0 soft|hard" ;;
esac
