import docker

client = docker.from_env()
client.containers.prune(filters={"label": "com.example.app=shop"})
client.images.remove("shop:test")
