systemctl stop docker
DATA=/var/lib/docker
rm -rf "${DATA:?}"/*
systemctl start docker
