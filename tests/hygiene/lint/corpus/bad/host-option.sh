docker -H tcp://10.0.0.5:2376 --tls image prune -a -f
