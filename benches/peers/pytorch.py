"""The rows of `benches/networks.rs` in PyTorch: same sizes, same steps, random data.

Prints one JSON object a row: {"row": ..., "threads": ..., "seconds": [...], "peak_mb": ...}, each number of seconds
one run.
"""

import argparse
import json
import resource
import time

import torch
from torch import nn

DAYS, INPUTS, HIDDEN = 30, 51, 128


class Forecaster(nn.Module):
    """LSTM, last day, and a head of two batch-normalised layers."""

    def __init__(self, hidden=HIDDEN, layers=2):
        super().__init__()
        between = 0.2 if layers > 1 else 0.0
        self.lstm = nn.LSTM(INPUTS, hidden, num_layers=layers, dropout=between, batch_first=True)
        self.head = nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(hidden, hidden // 2),
            nn.BatchNorm1d(hidden // 2),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(hidden // 2, hidden // 4),
            nn.BatchNorm1d(hidden // 4),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(hidden // 4, 1),
        )

    def forward(self, windows):
        states, _ = self.lstm(windows)
        return self.head(states[:, -1])


def train(learn, check, epochs, model=None):
    generator = torch.Generator().manual_seed(7)
    inputs = torch.rand(learn, DAYS, INPUTS, generator=generator) * 3 - 1.5
    labels = torch.rand(learn, 1, generator=generator) * 3 - 1.5
    unseen = torch.rand(check, DAYS, INPUTS, generator=generator) * 3 - 1.5
    truth = torch.rand(check, 1, generator=generator) * 3 - 1.5
    model = model or Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=5)
    loss_of = nn.MSELoss()
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(learn, generator=generator).split(32):
            optimizer.zero_grad()
            loss = loss_of(model(inputs[batch]), labels[batch])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            schedule.step(loss_of(model(unseen), truth).item())


def train_people(count):
    for _ in range(count):
        train(48, 12, 10, Forecaster(hidden=32, layers=1))


def infer(count):
    model = Forecaster().eval()
    windows = torch.rand(count, DAYS, INPUTS) * 3 - 1.5

    def run():
        with torch.inference_mode():
            return model(windows).tolist()

    return run


def timed(run, warm, runs):
    for _ in range(warm):
        run()
    seconds = []
    for _ in range(runs):
        begun = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begun)
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    rows = {
        "train_default": lambda: timed(lambda: train(48, 12, 50), 1, 3),
        "train_365_days": lambda: timed(lambda: train(292, 73, 50), 0, 1),
        "train_100_people": lambda: timed(lambda: train_people(100), 0, 1),
        "infer_1": lambda: timed(infer(1), 50, 200),
        "infer_256": lambda: timed(infer(256), 5, 30),
    }
    answer = {
        "row": arguments.row,
        "threads": arguments.threads,
        "version": torch.__version__,
        "seconds": rows[arguments.row](),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
