Write-Host "tidying"
docker images -q | ForEach-Object { docker rmi -f $_ }
