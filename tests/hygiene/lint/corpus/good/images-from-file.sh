xargs -r docker rmi < built-images.txt
while read -r image; do docker rmi "$image"; done < built-images.txt
