function tidy {
  docker images --quiet | xargs docker rmi
}
