: <<'COMMENT'
docker system prune -af
COMMENT
make
