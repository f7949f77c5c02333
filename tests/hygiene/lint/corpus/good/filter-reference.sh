docker rmi $(docker images -q --filter 'reference=registry.example.org/shop:*')
