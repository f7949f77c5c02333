{ lib, ... }:
{
  virtualisation.docker.enable = true;
  # virtualisation.docker.autoPrune.enable = true;
  virtualisation.docker.autoPrune = {
    enable = lib.mkForce false;
    flags = [ "--all" ];
  };
}
