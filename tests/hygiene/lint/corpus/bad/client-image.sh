docker run --rm -v /var/run/docker.sock:/var/run/docker.sock docker:cli image prune -af
