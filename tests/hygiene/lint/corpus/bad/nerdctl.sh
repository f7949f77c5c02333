sudo nerdctl --namespace k8s.io image prune --all --force
