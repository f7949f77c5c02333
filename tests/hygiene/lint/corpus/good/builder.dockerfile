FROM docker:27-dind
# docker system prune -af
RUN rm -rf /var/lib/docker/tmp && \
    # nothing of the host is here
    apk add --no-cache git
