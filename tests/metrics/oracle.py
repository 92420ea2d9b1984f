"""oracle.py CSV CORRECT LABELLED HEAD0 HEAD1 HEAD2: scikit-learn's accuracies of rows label,status,fused,head0,head1,head2."""
import sys

import numpy as np
from sklearn.metrics import accuracy_score

rows = np.loadtxt(sys.argv[1], delimiter=",", dtype=int)
correct, labelled, *heads = map(int, sys.argv[2:])
known = rows[(rows[:, 0] >= 0) & (rows[:, 1] == 1)]
assert len(known) == labelled, (len(known), labelled)
for column, count in zip((2, 3, 4, 5), (correct, *heads), strict=True):
    expected = accuracy_score(known[:, 0], known[:, column])
    assert np.isclose(expected, count / labelled, rtol=0, atol=1e-12), (column, expected, count / labelled)
