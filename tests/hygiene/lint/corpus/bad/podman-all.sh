podman rmi --all --force
