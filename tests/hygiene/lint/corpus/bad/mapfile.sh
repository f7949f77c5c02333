mapfile -t ids < <(docker volume ls -q)
docker volume rm "${ids[@]}"
