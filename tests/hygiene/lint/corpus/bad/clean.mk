DOCKER ?= docker

.PHONY: clean
clean:
	rm -rf build
	-@$(DOCKER) rmi -f $$($(DOCKER) images -q)
