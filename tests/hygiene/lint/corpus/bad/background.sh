docker image prune -a -f & wait
