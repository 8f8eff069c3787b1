"""Prints the scalars of an event file as TensorBoard itself reads them: a JSON list of [tag, value, Unix seconds of
the first event of this step]."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
scalars = [(tag, event) for tag in events.Tags()["scalars"] for event in events.Scalars(tag)]
first = {}
for _, event in scalars:
    first[event.step] = min(event.wall_time, first.get(event.step, event.wall_time))
print(json.dumps([[tag, event.value, first[event.step]] for tag, event in scalars]))
