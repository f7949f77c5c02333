DOCKER=${DOCKER:-docker}
NAME=shop
$DOCKER rm -f "$NAME" && ${DOCKER} volume rm "${NAME}_data"
