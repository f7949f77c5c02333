"""Installing our programs on a host: what has to be there, how it is brought there, and what is missing."""
