docker images --quiet registry.example.org/shop | xargs --no-run-if-empty docker rmi
