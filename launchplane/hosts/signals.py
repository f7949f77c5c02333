"""What others may want to know of a host."""

from django.dispatch import Signal

# sent inside the transaction that adds a host, with `host`: domains give it their defaults here
host_added = Signal()

# sent once it is stored that a host's limits, or what operators said about it, changed, with `host`
host_edited = Signal()
