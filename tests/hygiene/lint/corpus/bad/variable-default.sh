: "${ENGINE:=podman}"
${ENGINE:-podman} system reset --force
