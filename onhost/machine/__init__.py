"""What the machine itself says, beside its engine: disks, folders, logs, processes, and what else prunes there."""
