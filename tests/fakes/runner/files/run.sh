#!/bin/bash
# Stands in for the runner's own: starts the helper again while that ends with 2.
#
# With RUNNER_MANUALLY_TRAP_SIG a signal goes on, as SIGINT, to the helper's whole group, and the helper's status is
# ours; a signal in between makes it 128 and the signal's number. Without it a signal goes nowhere, and the status is 0.
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)

helper() {
  cp -f "$here/run-helper.sh.template" "$here/run-helper.sh"
  "$here/run-helper.sh" "$@"
}

if [ -z "$RUNNER_MANUALLY_TRAP_SIG" ]; then
  while helper "$@"; [ $? -eq 2 ]; do
    echo "Restarting runner..."
  done
  echo "Exiting runner..."
  exit 0
fi

set -m
trap 'kill -INT -- "-$child"' INT TERM
while :; do
  helper "$@" &
  child=$!
  wait "$child"
  status=$?
  if [ "$status" -ne 2 ]; then
    echo "Exiting runner..."
    trap - INT TERM
    wait "$child"
    exit "$status"
  fi
  echo "Restarting runner..."
done
