echo "a # docker is not a comment" && docker build -t "shop#1" .
