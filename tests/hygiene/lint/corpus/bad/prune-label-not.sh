docker volume prune --force --filter 'label!=keep'
