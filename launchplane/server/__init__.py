"""`script/server`: everything that one machine needs to run Launchplane, under one small supervisor."""
