docker images | awk '$1 == "registry.example.org/shop" { print $3 }' | xargs docker rmi
