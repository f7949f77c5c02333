{ pkgs, ... }: {
  systemd.services.tidy.serviceConfig.ExecStart = "${pkgs.docker}/bin/docker system prune -f";
}
