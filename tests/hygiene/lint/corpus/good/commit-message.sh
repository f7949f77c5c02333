git commit -m "ci: drop docker system prune -af"
gh pr create --title "Remove docker volume prune" --body "docker image prune -a goes too"
