export BUILDX_BUILDER=shop-ci
docker buildx prune --all --force
