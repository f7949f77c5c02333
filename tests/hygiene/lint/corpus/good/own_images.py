import subprocess

HINT = "docker system prune -af"


def remove(tag: str) -> None:
    """Not by `docker image prune -a`: others have images, too."""
    print("docker system prune -af")
    subprocess.run(["docker", "rmi", tag], check=True)
