git remote prune origin
git fetch --prune
npm prune && pnpm store prune
terraform state rm docker_image.shop
