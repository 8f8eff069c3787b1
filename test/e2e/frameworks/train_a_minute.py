"""Trains a model with two weights for a minute, and lets the framework write its own log:

    python train_a_minute.py lightning|huggingface|llama-factory FOLDER
"""

import os
import sys
import time

import torch

epochs, batches, seconds_per_step = 6, 40, 0.26
seconds_per_evaluation_step = 0.1


class Line(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x, labels):
        time.sleep(seconds_per_step if self.training else seconds_per_evaluation_step)
        predicted = self.layer(x)
        return {"loss": torch.nn.functional.mse_loss(predicted, labels), "logits": predicted}


def samples():
    x = torch.linspace(-1, 1, 4 * batches).unsqueeze(1)
    return x, 2 * x + 1 + 0.1 * torch.randn_like(x)


def lightning(folder):
    from lightning import LightningModule, Trainer
    from lightning.pytorch.callbacks import LearningRateMonitor
    from lightning.pytorch.loggers import CSVLogger
    from torch.utils.data import DataLoader, TensorDataset

    class Module(LightningModule):
        def __init__(self):
            super().__init__()
            self.model = Line()

        def training_step(self, batch, batch_idx):
            loss = self.model(*batch)["loss"]
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch, batch_idx):
            self.log("val_loss", self.model(*batch)["loss"])

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), 0.05)
            return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)]

    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        log_every_n_steps=5,
        logger=CSVLogger(folder, flush_logs_every_n_steps=1),
        callbacks=[LearningRateMonitor("step")],
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    data = TensorDataset(*samples())
    trainer.fit(Module(), DataLoader(data, batch_size=4, shuffle=True), DataLoader(data, batch_size=4))


def train(folder, callbacks=(), **settings):
    from transformers import Trainer, TrainingArguments

    data = [{"x": x, "labels": y} for x, y in zip(*samples())]
    arguments = TrainingArguments(
        output_dir=folder,
        num_train_epochs=epochs,
        per_device_train_batch_size=4,
        learning_rate=0.05,
        logging_steps=5,
        eval_strategy="epoch",
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        **settings,
    )
    Trainer(model=Line(), args=arguments, train_dataset=data, eval_dataset=data, callbacks=list(callbacks)).train()


def huggingface(folder):
    os.environ["TENSORBOARD_LOGGING_DIR"] = os.path.join(folder, "runs")
    train(folder, report_to="tensorboard")


def llama_factory(folder):
    from llamafactory.train.callbacks import LogCallback

    train(folder, callbacks=[LogCallback()], report_to="none")


torch.manual_seed(1)
{"lightning": lightning, "huggingface": huggingface, "llama-factory": llama_factory}[sys.argv[1]](sys.argv[2])
