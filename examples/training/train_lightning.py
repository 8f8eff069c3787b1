"""Trains a small network with PyTorch Lightning: python3 train_lightning.py --metrics-file /tmp/metrics/current.json

It needs torch and Lightning: pip install torch lightning
"""

import lightning
import torch
from lightning_callback import MetricsFile
from options import parse_options
from torch.utils.data import DataLoader, TensorDataset


class Disc(lightning.LightningModule):
    def __init__(self, learning_rate):
        super().__init__()
        self.learning_rate = learning_rate
        self.layers = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
        self.loss = torch.nn.BCEWithLogitsLoss()

    def training_step(self, batch, batch_idx):
        loss = self.loss(self.layers(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self.loss(self.layers(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.learning_rate)


options = parse_options()
torch.manual_seed(1)
x = torch.randn(640, 2)
y = (x.square().sum(dim=1, keepdim=True) < 1.0).float()
trainer = lightning.Trainer(
    accelerator="cpu",
    max_epochs=options.epochs,
    log_every_n_steps=5,
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    callbacks=[MetricsFile(options.metrics_file, job_id="lightning-001", model_name="mlp", dataset="disc")],
)
trainer.fit(
    Disc(options.learning_rate),
    DataLoader(TensorDataset(x[:480], y[:480]), batch_size=32, shuffle=True),
    DataLoader(TensorDataset(x[480:], y[480:]), batch_size=32),
)
