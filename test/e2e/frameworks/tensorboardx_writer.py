"""tensorboardX with its default buffering of 4 KiB, so that records are cut off in the middle for most of the time."""

import json
import sys
import time

from tensorboardX import SummaryWriter

writer = SummaryWriter(sys.argv[1])
writer.add_text("config", "batch_size: 32")
for step in range(1, 401):
    at = 1_760_000_000 + step
    writer.add_scalar("train/loss", 64 / step, step, walltime=at)
    writer.add_scalar("train/learning_rate", 0.5, step, walltime=at)
    print(json.dumps({"time": at * 1000, "fields": {"train/learning_rate": 0.5, "step": step}}), flush=True)
    time.sleep(0.005)
writer.close()
