"""The shell of a run: plan, check, decide, commit, report."""
