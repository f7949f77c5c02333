docker ps -aq --filter label=com.example.app=shop | xargs -r docker rm -f
