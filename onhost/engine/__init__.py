"""A Docker engine: what is asked of it, what is told of its answers, and the five removals.

The control plane does this to the engine of its own machine, and launchplane-docker to that of another host: the same
code in both places, which differ only in how a connection is made (calls.py).
"""
