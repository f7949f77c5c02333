#!/usr/bin/env bash
set -euo pipefail

docker \
  system \
  prune \
    --all \
    --force
