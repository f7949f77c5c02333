#!/bin/bash
trap 'docker container prune -f >/dev/null' EXIT INT
make integration
