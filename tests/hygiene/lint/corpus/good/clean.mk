IMAGE := shop:dev
.PHONY: clean help
clean: ## removes what this makes (not docker system prune)
	docker compose down --volumes
	-docker rmi $(IMAGE)
help:
	@echo "docker system prune -af is up to you"
