"""What others may want to know of a host."""

from django.dispatch import Signal

# sent inside the transaction that adds a host, with `host`: domains give it their defaults here
host_added = Signal()
