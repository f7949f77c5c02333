#!/bin/bash
echo "clean"
docker system prune \
  -af
