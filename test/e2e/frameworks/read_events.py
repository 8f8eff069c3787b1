"""Prints the scalars of an event file as TensorBoard itself reads them: a JSON list of [tag, value, Unix seconds of
the first event of this step in the second before]."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0})
events.Reload()
scalars = [(tag, event) for tag in events.Tags()["scalars"] for event in events.Scalars(tag)]
numbers, step, first = [], None, 0.0
for tag, event in sorted(scalars, key=lambda scalar: (scalar[1].step, scalar[1].wall_time)):
    if event.step != step or event.wall_time - first > 1.0:
        step, first = event.step, event.wall_time
    numbers.append([tag, event.value, first])
print(json.dumps(numbers))
