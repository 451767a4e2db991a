"""Writes fixtures/pytorch: checkpoints as PyTorch saves them, and what the networks in them say.

    python benches/peers/pytorch_checkpoints.py fixtures/pytorch

The names of the weights are those of the service that Vitalcast replaces: the head's layers at the top, a
dropout between the layers of a task.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(7)
torch.set_num_threads(1)


class Single(nn.Module):
    def __init__(self, inputs, hidden, layers, bidirectional=False, attention=False):
        super().__init__()
        width = hidden * (2 if bidirectional else 1)
        self.lstm = nn.LSTM(inputs, hidden, layers, batch_first=True, bidirectional=bidirectional)
        if attention:
            self.attention = nn.Sequential(
                nn.Linear(width, width // 2), nn.Tanh(), nn.Linear(width // 2, 1)
            )
        self.fc1 = nn.Linear(width, hidden // 2)
        self.bn1 = nn.BatchNorm1d(hidden // 2)
        self.fc2 = nn.Linear(hidden // 2, hidden // 4)
        self.bn2 = nn.BatchNorm1d(hidden // 4)
        self.fc_out = nn.Linear(hidden // 4, 1)

    def forward(self, windows):
        states, _ = self.lstm(windows)
        if hasattr(self, "attention"):
            weights = torch.softmax(self.attention(states), dim=1)
            read = (states * weights).sum(dim=1)
        else:
            read = states[:, -1, :]
        first = torch.relu(self.bn1(self.fc1(read)))
        return self.fc_out(torch.relu(self.bn2(self.fc2(first))))


class Multi(nn.Module):
    def __init__(self, inputs, hidden, layers, tasks):
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden, layers, batch_first=True)
        self.shared_fc = nn.Linear(hidden, hidden // 2)
        self.task_heads = nn.ModuleList(
            nn.Sequential(
                nn.Linear(hidden // 2, hidden // 4),
                nn.ReLU(),
                nn.Dropout(0.2),
                nn.Linear(hidden // 4, 1),
            )
            for _ in range(tasks)
        )

    def forward(self, windows):
        states, _ = self.lstm(windows)
        shared = torch.relu(self.shared_fc(states[:, -1, :]))
        return torch.cat([head(shared) for head in self.task_heads], dim=1)


def main():
    folder = Path(sys.argv[1])
    cases = {}
    networks = {
        "single": (Single(4, 8, 2), None),
        "bidirectional_nested": (Single(4, 8, 1, bidirectional=True), "state_dict"),
        "attention": (Single(4, 8, 1, attention=True), None),
        "multi": (Multi(4, 8, 1, 3), "model_state_dict"),
    }
    for name, (network, key) in networks.items():
        # A few batches in training mode, so that the running statistics are not the initial ones.
        for _ in range(3):
            network(torch.randn(16, 6, 4) + 0.5)
        network.eval()
        state = network.state_dict()
        torch.save({key: state, "epoch": 3} if key else state, folder / f"{name}.pt")
        windows = torch.randn(3, 6, 4)
        with torch.no_grad():
            output = network(windows)
        cases[name] = {
            "input": windows.flatten().tolist(),
            "shape": list(windows.shape),
            "output": output.flatten().tolist(),
        }
    (folder / "expected.json").write_text(json.dumps(cases, indent=1) + "\n")


main()
