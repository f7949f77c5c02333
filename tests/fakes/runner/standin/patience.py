"""How long the stand-in waits, in seconds. GitHub's runner takes half a minute between tries, and four in all."""

BETWEEN_POLLS = 0.1
BETWEEN_TRIES = 1.0
TRIES_FOR_A_SESSION = 3
BEATS = 1.0
ANSWER = 60.0
