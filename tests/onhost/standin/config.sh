#!/bin/sh
# Stands in for the runner's own: writes what that writes, and does what the file `behave` beside it says.
cd "$(dirname "$0")" || exit 9
printf '%s\n' "$@" >arguments
env >environment
tr '\0' ' ' </proc/$$/cmdline >cmdline
how=$(cat behave 2>/dev/null)
case "$how" in
  fail) echo "Http response code: NotFound, token $ACTIONS_RUNNER_INPUT_TOKEN is bad"; exit 1 ;;
  flood) head -c 200000 /dev/zero | tr '\0' x; echo "$ACTIONS_RUNNER_INPUT_TOKEN"; printf 'red\033[31m\n' ;;
  leave) sleep 1000 & echo $! >left ;;
  nothing) exit 0 ;;
esac
if [ "$1" = remove ]; then
  rm -f .runner .credentials .credentials_rsaparams
  exit 0
fi
url=; name=
while [ $# -gt 0 ]; do
  case "$1" in --url) url=$2 ;; --name) name=$2 ;; esac
  shift
done
[ "$how" = other ] && name=another
printf '\357\273\277{"agentId": 7, "agentName": "%s", "poolId": 1, "gitHubUrl": "%s"}\n' "$name" "$url" >.runner
echo '{}' >.credentials
[ "$how" = half ] && exit 3
[ "$how" = odd ] && ln -sf /etc/passwd .runner
echo "Settings Saved."
