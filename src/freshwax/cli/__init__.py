"""The command line: thin, a file a verb."""
