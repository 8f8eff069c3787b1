"""Trains a small network with torchrun:

    torchrun --nproc-per-node 2 train_torch.py --metrics-file /tmp/metrics/current.json

It needs torch, and numpy so that torch does not warn: pip install torch numpy
"""

import time
from datetime import datetime, timezone

import torch
import torch.distributed as dist
from options import parse_options
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler
from torch_metrics import report

options = parse_options()
dist.init_process_group("gloo")
torch.manual_seed(1)
x = torch.randn(640, 2)
y = (x.square().sum(dim=1, keepdim=True) < 1.0).float()
dataset = TensorDataset(x, y)
sampler = DistributedSampler(dataset)
batches = DataLoader(dataset, batch_size=16, sampler=sampler)
layers = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
model = DistributedDataParallel(layers)
optimizer = torch.optim.SGD(model.parameters(), options.learning_rate)
criterion = torch.nn.BCEWithLogitsLoss()
start_time = datetime.now(timezone.utc).isoformat()
job = {"job_id": "torch-001", "model_name": "mlp", "dataset": "disc", "start_time": start_time}

step, total_steps = 0, options.epochs * len(batches)
for epoch in range(1, options.epochs + 1):
    sampler.set_epoch(epoch)
    started = time.perf_counter()
    for points, labels in batches:
        loss = criterion(model(points), labels)
        # Before backward(), in which DistributedDataParallel waits for the other ranks. On a GPU, call
        # torch.cuda.synchronize() first.
        compute_ms = (time.perf_counter() - started) * 1000.0
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        status = "completed" if step == total_steps else "running"
        metrics = {"epoch": epoch, "total_steps": total_steps, "training_loss": loss.item()}
        report(options.metrics_file, job, step, compute_ms, status, **metrics)
        started = time.perf_counter()
dist.destroy_process_group()
