FROM docker:27-cli
ENTRYPOINT ["sh", "-c", "docker system prune -af"]
