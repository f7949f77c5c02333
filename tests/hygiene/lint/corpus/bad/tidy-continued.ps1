docker system prune `
    --all `
    --force
