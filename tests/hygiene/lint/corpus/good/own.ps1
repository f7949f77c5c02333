<#
docker system prune -af
#>
docker rmi "shop:$env:BUILD_ID"
