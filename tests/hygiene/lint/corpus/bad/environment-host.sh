DOCKER_HOST=ssh://ci@ci-1.example.org docker volume prune -f
