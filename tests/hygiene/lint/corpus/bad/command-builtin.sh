command docker system prune -f && builtin echo done
