#!/bin/sh
tag="shop:ci-$$"
docker build -t "$tag" .
docker run --rm "$tag" make test
docker rmi "$tag"
