#!/bin/sh
# Stands in for BuildKit's client: notes how it is called to prune, and hands everything else to the sandbox's stand-in.
case "$1 $*" in
  "prune "*--help*) cat /recorded/prune-help.txt ;;
  "prune "*)
    echo "$*" >>/pruned
    cat /recorded/prune.json
    ;;
  *) exec /usr/bin/buildctl.recorded "$@" ;;
esac
