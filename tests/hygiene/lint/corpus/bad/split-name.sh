d=docker p=prune
"$d" system "$p" -f
