ssh deploy@shop.example.org <<'REMOTE'
cd /srv/shop
docker compose pull
docker compose up -d --remove-orphans
REMOTE
