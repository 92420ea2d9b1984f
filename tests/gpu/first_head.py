"""A head gives the same bits as number 0, 1, 2 and 3 of its rank, where its weights lie at other addresses.

cuBLAS and cuDNN may choose kernels by alignment; then the grid of ranks would show in the scores."""

import results
from common import expect, finish, run_job

HEADS = 4

paths = [run_job(f"first-{first}.h5", config=f"first-{first}.yaml")[0] for first in range(HEADS)]
expected = results.head_scores(paths[0])
for first, path in enumerate(paths[1:], start=1):
    found = results.head_scores(path)
    different = {name: results.largest_difference(found[name], scores)[0] for name, scores in expected.items()
                 if found[name].tobytes() != scores.tobytes()}
    expect(not different, f"bits of each head with number {first} at the front", different=different)
    fused = [results.read(name)["fused/scores"].tobytes() for name in (path, paths[0])]
    expect(fused[0] == fused[1], f"bits of the fused scores with number {first} at the front")
finish()
