docker volume ls -qf dangling=true | parallel --will-cite docker volume rm {}
