"""A private Docker engine with planted leftovers: something real to look at where there is no engine to look at."""
