"""freshwax: every new release of the artists you follow, once, soon, with nothing missed."""

__version__ = "0.1.0"
