sh <<< 'docker image prune -af'
