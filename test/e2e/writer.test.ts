import { describe } from 'vitest';
import { testWriter } from '../support/writers.ts';

describe('writers in languages that have tools of their own', () => {
  testWriter({
    language: 'python',
    file: 'metrics_writer.py',
    program: {
      'main.py': `import sys
from metrics_writer import write_metrics
for epoch in (2, 3):
    write_metrics(sys.argv[1], {
        "job_metadata": {"job_id": 'a "quoted" job'},
        "training_metrics": {"epoch": epoch, "training_loss": float("nan"), "validation_loss": float("-inf"), "learning_rate": 0.000001},
    })
`,
    },
    commands: [['python3', 'main.py']],
  });

  testWriter({
    language: 'go',
    file: 'metrics/metrics_writer.go',
    program: {
      'go.mod': 'module training\n\ngo 1.21\n',
      'main.go': `package main

import (
	"math"
	"os"
	"training/metrics"
)

func main() {
	for _, epoch := range []float64{2, 3} {
		metrics.WriteMetrics(os.Args[1], map[string]string{"job_id": "a \\"quoted\\" job"}, map[string]float64{
			"epoch": epoch, "training_loss": math.NaN(), "validation_loss": math.Inf(-1), "learning_rate": 0.000001,
		})
	}
}
`,
    },
    commands: [['go', 'vet', './...'], ['go', 'build', '-o', 'training'], ['./training']],
  });

  testWriter({
    language: 'rust',
    file: 'metrics_writer.rs',
    program: {
      'main.rs': `mod metrics_writer;

fn main() {
    let path = std::env::args().nth(1).unwrap();
    for epoch in [2.0, 3.0] {
        let metrics = [("epoch", epoch), ("training_loss", f64::NAN), ("validation_loss", f64::NEG_INFINITY), ("learning_rate", 0.000001)];
        metrics_writer::write_metrics(path.as_ref(), &[("job_id", "a \\"quoted\\" job")], &metrics);
    }
}
`,
    },
    commands: [['rustc', '--deny', 'warnings', '-o', 'training', 'main.rs'], ['./training']],
  });
});
