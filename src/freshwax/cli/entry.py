"""The program, from its first instruction on: Ctrl-C ends it quietly also while it is still being loaded."""

import os  # the interpreter has it already: until ``run`` is entered, nothing else may take time

INTERRUPTED = 130


def run() -> None:
    """Load the program, and be it; see ``main.run``. Does not return."""
    try:
        import signal

        heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # whoever starts it may want it ignored
        if heeded:  # an exception would come out of whatever is being imported, or be lost there
            signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
        from freshwax.cli.main import run as begin

        if heeded:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        begin()
    except KeyboardInterrupt:
        os._exit(INTERRUPTED)
