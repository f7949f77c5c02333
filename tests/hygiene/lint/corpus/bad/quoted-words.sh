"docker" 'system' "prune" -f
