{ pkgs, ... }:
{
  systemd.services.tidy = {
    description = "Keeps the disk from filling up";
    script = ''
      ${pkgs.docker}/bin/docker image prune --all --force
    '';
  };
}
