"""What part of each kind of file is shell. Each module reads one kind and runs nothing."""
