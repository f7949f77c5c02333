(crontab -l 2>/dev/null; echo "30 2 * * * /usr/bin/docker system prune -af") | crontab -
