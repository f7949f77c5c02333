docker images -q | xargs -n1 echo image
docker ps -aq | wc -l
docker image ls -q | sort | uniq -c
