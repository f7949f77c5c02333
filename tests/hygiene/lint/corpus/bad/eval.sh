action="prune -af"
eval "docker image $action"
