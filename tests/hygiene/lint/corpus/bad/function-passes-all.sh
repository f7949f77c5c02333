dk() {
  sudo -n docker "$@"
}

dk ps
dk system prune -af
