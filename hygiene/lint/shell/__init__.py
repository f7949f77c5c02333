"""Shell as far as the rules need it: which commands a text runs, with which words, fed by which. Runs nothing."""
