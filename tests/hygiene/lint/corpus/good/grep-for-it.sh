if grep -rn "docker system prune" .github; then
  echo "found one" >&2
  exit 1
fi
