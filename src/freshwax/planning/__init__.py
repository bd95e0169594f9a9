"""Whom to check: pure, from what is known to whom to ask."""

import os

# numpy would start a thread for each processor, for products of matrices that are made nowhere here: that takes longer
# than to plan.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
