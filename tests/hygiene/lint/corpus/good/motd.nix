{
  users.motd = ''
    docker system prune -af is not for you
  '';
  systemd.services.shop = {
    description = "docker system prune is elsewhere";
    script = ''
      exec docker run --rm --name shop shop
    '';
  };
}
