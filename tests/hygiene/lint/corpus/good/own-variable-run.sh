id=$(docker run -d redis:7)
trap 'docker rm -f "$id"' EXIT
