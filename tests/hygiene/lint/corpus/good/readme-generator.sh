cat > docs/cleaning.md <<'EOF'
Run `docker system prune -af` on your laptop.

    docker system prune -af
EOF
