prune_one() { docker "$1" prune --force; }
for kind in container image network; do
  prune_one "$kind"
done
