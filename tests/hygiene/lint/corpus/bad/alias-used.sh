shopt -s expand_aliases
alias tidy='docker image prune'
tidy --all --force
