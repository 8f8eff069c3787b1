"""tensorboardX with its default buffering of 4 KiB, so that records are cut off in the middle for most of the time.

    tensorboardx_writer.py FOLDER [STEPS SECONDS_PER_STEP]
"""

import json
import sys
import time

from tensorboardX import SummaryWriter

folder, steps, pause = (*sys.argv[1:], "400", "0.005")[:3]
writer = SummaryWriter(folder)
writer.add_text("config", "batch_size: 32")
for step in range(1, int(steps) + 1):
    milliseconds = round(time.time() * 1000)
    writer.add_scalar("train/loss", 64 / step, step, walltime=milliseconds / 1000)
    writer.add_scalar("train/learning_rate", 0.5, step, walltime=milliseconds / 1000)
    print(
        json.dumps({"time": milliseconds, "fields": {"train/learning_rate": 0.5, "step": step}}),
        flush=True,
    )
    time.sleep(float(pause))
writer.close()
