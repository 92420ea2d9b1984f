"""polyhead from files to the result, with some of the cores and all of them."""

import cores
import results
from common import SIZES, finish, record, run_job

for chosen in cores.choices():
    with cores.only(chosen):
        path, _ = run_job("speed.h5", "output.head_scores=false", config="many.yaml")
    run = results.summary(path)["run"]
    record("polyhead", cores=len(chosen), batch=SIZES.large_batch, images=SIZES.all_names,
           images_per_second=round(run["images_per_second"], 1), seconds=round(run["seconds"], 2),
           computing_share=round(run["computing_share"], 3), waiting_share=round(run["waiting_share"], 3),
           limited_by=run["limited_by"])
finish()
