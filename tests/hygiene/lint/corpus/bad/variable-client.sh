#!/bin/sh
DOCKER=docker
if ! id -nG | grep -qw docker; then
  DOCKER="sudo docker"
fi
$DOCKER image prune --all -f
