if [ "$(df --output=pcent / | tail -1 | tr -dc 0-9)" -gt 80 ]; then docker system prune -f; else echo enough; fi
