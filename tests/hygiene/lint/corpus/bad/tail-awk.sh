docker rm $(docker ps -a | tail -n +2 | awk '{print $1}')
