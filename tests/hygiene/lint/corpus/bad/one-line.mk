distclean: clean ; docker system prune -af
