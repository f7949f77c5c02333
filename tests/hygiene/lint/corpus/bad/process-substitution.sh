xargs -r docker image rm < <(docker image ls -q --filter dangling=true)
