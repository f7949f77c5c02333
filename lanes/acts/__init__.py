"""How each step of a lane's plan is taken, and how one that nobody answered for is looked at."""
