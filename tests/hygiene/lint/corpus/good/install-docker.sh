apt-get install -y docker-ce docker-compose-plugin
apt-get remove -y docker docker-engine
systemctl restart docker
