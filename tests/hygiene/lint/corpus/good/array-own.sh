built=()
for flavour in slim full; do
  docker build -t "shop:$flavour" .
  built+=("shop:$flavour")
done
docker rmi "${built[@]}"
