restic forget --prune --keep-daily 7
borg prune --keep-daily 7 /srv/backup/docker
