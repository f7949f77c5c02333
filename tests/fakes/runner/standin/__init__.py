"""What the stand-in runner's programs do, with Python's own library alone: they run on hosts that have nothing else."""
