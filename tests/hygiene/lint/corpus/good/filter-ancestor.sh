docker stop $(docker ps -q --filter ancestor=shop:test)
