"""What runs on a runner host: four small programs and what they share. Python 3.9 and its own library, nothing else.

Installed as it is, owned by root, below FOLDER. The host runs other people's code, so nothing here is a secret, and
nothing here believes a request: what may be touched is written in /etc/launchplane/host.json by an administrator.
"""

VERSION = "1"
FOLDER = "/usr/local/lib/launchplane"
