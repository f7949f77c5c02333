time docker builder prune -f
