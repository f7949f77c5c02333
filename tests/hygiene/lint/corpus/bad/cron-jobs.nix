{
  services.cron.systemCronJobs = [
    "0 3 * * * root docker volume prune -f"
  ];
}
