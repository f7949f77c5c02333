"""The live proof: a lane comes to life and goes again on a disposable host, by the product as its users use it.

`place.py` is what is there before (the host, a stand-in for GitHub, a server, two people, somebody else's runner);
each proof is one small function in `steps/`, in the order of `sequence.py`, and `record.py` keeps what it showed.
"""
