"""The rows of networks of `benches/src/rows.rs` in PyTorch, their explanation by captum: same sizes, same steps, random data.

Prints one JSON object (see `measured.py`).
"""

import measured
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


def shapley():
    """The features of one window by captum: 10 orders of 51 features, 511 evaluations, an order in one batch."""
    from captum.attr import ShapleyValueSampling

    model = Forecaster().eval()
    window, other = (torch.rand(1, DAYS, INPUTS) * 3 - 1.5 for _ in range(2))
    sampling = ShapleyValueSampling(lambda windows: model(windows).squeeze(1))
    feature_of_cell = torch.arange(INPUTS).repeat(1, DAYS, 1)

    def run():
        with torch.inference_mode():
            return sampling.attribute(
                window, other, feature_mask=feature_of_cell, n_samples=10, perturbations_per_eval=INPUTS
            )

    return run


def instructions():
    """The widest vectors of ATen, by our names; what it was held to shows here."""
    return torch.backends.cpu.get_cpu_capability().lower()


ROWS = {
    "train_default": lambda: lambda: train(48, 12, 50),
    "train_365_days": lambda: lambda: train(292, 73, 50),
    "train_100_people": lambda: lambda: train_people(100),
    "infer_1": lambda: infer(1),
    "infer_256": lambda: infer(256),
    "shapley_network": shapley,
}

if __name__ == "__main__":
    arguments = measured.arguments(ROWS)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    packages = {"captum": ["captum", "torch"]}.get(arguments.peer, ["torch"])
    measured.answer(arguments.row, ROWS[arguments.row](), packages, instructions())
