podman rmi localhost/shop:test
podman pod rm -f shop-pod
