sudo -H bash -lc 'cd / && docker system prune -f'
