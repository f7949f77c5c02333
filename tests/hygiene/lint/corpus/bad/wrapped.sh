flock -n /tmp/prune.lock nice -n 19 timeout --kill-after 10 600 docker builder prune -f
