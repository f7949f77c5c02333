tidy_all="docker builder prune -af"
$tidy_all
