"""verl's FileLogger, loaded by its path, because the package itself needs torch and ray."""

import importlib.util
import json
import os
import sys
import time

tracking = importlib.util.find_spec("verl").submodule_search_locations[0] + "/utils/tracking.py"
source = open(tracking, encoding="utf-8").read()
start = source.index("class FileLogger:")
namespace = {}
exec("import os\nimport orjson\n" + source[start : source.index("\nclass ", start)], namespace)
os.environ["VERL_FILE_LOGGER_ROOT"] = sys.argv[1]
logger = namespace["FileLogger"]("project", "experiment")
for step in range(1, 101):
    data = {"actor/loss": float("nan") if step == 50 else step / 4, "val-core/openai/gsm8k/reward/mean@1": 0.25}
    logger.log(data, step)
    written = {name: None if value != value else value for name, value in data.items()}
    print(json.dumps({"fields": {"step": step, "data": written}}), flush=True)
    time.sleep(0.005)
logger.finish()
