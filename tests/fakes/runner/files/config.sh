#!/bin/bash
# Stands in for the runner's own: not as root, and then the listener does it, in the environment that it was given.
if [ "$(id -u)" -eq 0 ] && [ -z "$RUNNER_ALLOW_RUNASROOT" ]; then
  echo "Must not run with sudo"
  exit 1
fi
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here" || exit 1
echo "$PATH" >.path
[ -f .env ] || echo "LANG=${LANG:-C.UTF-8}" >.env

if [ "$1" = remove ]; then
  ./bin/Runner.Listener "$@"
else
  ./bin/Runner.Listener configure "$@"
fi
