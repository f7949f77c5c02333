import docker

client = docker.from_env()
client.images.prune(filters={"dangling": False})
