"""When jobs run. APScheduler lives here and nowhere else."""
