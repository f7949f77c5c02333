buildctl --addr unix:///run/buildkit/buildkitd.sock prune --all
