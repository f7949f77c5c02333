{
  virtualisation.podman.autoPrune.enable = true; # every week
}
