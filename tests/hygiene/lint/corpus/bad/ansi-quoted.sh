bash -c $'echo tidy\ndocker system prune -f'
