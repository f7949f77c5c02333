log() { printf '[%s] %s\n' "$(date +%T)" "$*"; }
log docker system prune is forbidden on shared hosts
log "docker image prune -a too"
