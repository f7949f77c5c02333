for host in ci-1 ci-2; do
  ssh -o BatchMode=yes "deploy@$host" "df -h; docker system prune -af"
done
