bash <<-SCRIPT
	echo tidy
	docker container prune -f
SCRIPT
