# the label does not hold for build cache, which goes as a whole
docker system prune --force --filter "label=org.example.app=shop"
