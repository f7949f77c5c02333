"""`python -m tests.bench NAME`."""

import sys

from tests.bench import audit, dangling, export, ingress, inventory, lanes

MEASUREMENTS = {
    "inventory": inventory.main,
    "dangling": dangling.main,
    "audit": audit.main,
    "export": export.main,
    "ingress": ingress.main,
    "lanes": lanes.main,
}

if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name not in MEASUREMENTS:
        sys.exit(f"usage: script/bench {'|'.join(MEASUREMENTS)}")
    sys.exit(MEASUREMENTS[name]())
