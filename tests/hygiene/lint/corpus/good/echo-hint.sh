echo "The disk is full. Ask an administrator; do not run docker system prune -af."
printf '%s\n' "docker image prune -a"
