import subprocess

CLEAN = ["docker", "system", "prune", "--all", "--force"]


def tidy() -> None:
    subprocess.run(CLEAN, check=True)
