"""The event writer that torch uses, which writes each event at once."""

import json
import sys
import time

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

writer = EventFileWriter(sys.argv[1])
for step in range(200):
    at = 1_760_000_000 + step
    summary = Summary(value=[Summary.Value(tag="loss", simple_value=step / 4)])
    writer.add_event(Event(wall_time=at, step=step, summary=summary))
    writer.flush()
    print(json.dumps({"time": at * 1000, "fields": {"loss": step / 4, "step": step}}), flush=True)
    time.sleep(0.005)
writer.close()
