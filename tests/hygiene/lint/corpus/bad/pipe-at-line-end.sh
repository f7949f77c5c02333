docker images -q |
  sort -u |
  xargs docker rmi -f
