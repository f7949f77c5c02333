"""From raw answers to facts. Pure: nothing here knows a client or a database."""
