usage() {
  cat <<'EOF'
usage: tidy [options]

  --hard   like docker system prune -af, for your own machine only
EOF
}
