"""Trains a small network with Hugging Face's Trainer:

    python3 train_huggingface.py --metrics-file /tmp/metrics/current.json

It needs torch and transformers: pip install torch transformers accelerate
"""

import tempfile

import torch
from huggingface_callback import MetricsFile
from options import parse_options
from transformers import Trainer, TrainingArguments


class Disc(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))

    def forward(self, x, labels):
        logits = self.layers(x)
        return {"loss": torch.nn.functional.binary_cross_entropy_with_logits(logits, labels), "logits": logits}


options = parse_options()
torch.manual_seed(1)
points = torch.randn(640, 2)
samples = [{"x": x, "labels": (x.square().sum(dim=0, keepdim=True) < 1.0).float()} for x in points]
trainer = Trainer(
    model=Disc(),
    args=TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=32,
        learning_rate=options.learning_rate,
        logging_steps=5,
        # With the default, the Trainer logs 0 in place of a loss that is NaN.
        logging_nan_inf_filter=False,
        eval_strategy="epoch",
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
    ),
    train_dataset=samples[:480],
    eval_dataset=samples[480:],
    callbacks=[MetricsFile(options.metrics_file, job_id="huggingface-001", model_name="mlp", dataset="disc")],
)
trainer.train()
