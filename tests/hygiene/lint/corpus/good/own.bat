@echo off
REM docker system prune -af
:: docker image prune -a
docker compose down
