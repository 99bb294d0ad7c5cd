"""The network, in torch, for training; odbench_pfn computes the same in NumPy."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from odbench_detectors.foundation.odbench_pfn.views import COLUMN_NUMBERS, ROW_NUMBERS

WIDTH, COLUMN_WIDTH, HEADS, LAYERS = 64, 32, 4, 2


class Pool(nn.Module):
    """Pool the columns of a row: mean, maximum, and a mean with learned weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Linear(COLUMN_WIDTH, HEADS)
        self.out = nn.Linear(3 * COLUMN_WIDTH, WIDTH)

    def forward(self, e: Tensor) -> Tensor:
        """Pool e, (rows, columns, COLUMN_WIDTH)."""
        share = torch.softmax(self.weight(e), dim=1)
        parts = e.unflatten(-1, (HEADS, -1))
        learned = (parts * share[..., None]).sum(dim=1).flatten(-2)
        return self.out(torch.cat([e.mean(dim=1), e.amax(dim=1), learned], dim=-1))


class Block(nn.Module):
    """Rows look at the context's rows, and then each at itself."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key_value = nn.Linear(WIDTH, 2 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, h: Tensor, n: int) -> Tensor:
        """Update h, (tasks, rows, WIDTH), whose first n rows are the context."""
        x = self.norm1(h)
        split = (HEADS, WIDTH // HEADS)
        q = self.query(x).unflatten(-1, split).transpose(1, 2)
        k, v = self.key_value(x[:, :n]).chunk(2, dim=-1)
        k, v = (t.unflatten(-1, split).transpose(1, 2) for t in (k, v))
        found = nn.functional.scaled_dot_product_attention(q, k, v)
        h = h + self.out(found.transpose(1, 2).flatten(-2))
        return h + self.down(torch.relu(self.up(self.norm2(h))))


class TorchNetwork(nn.Module):
    """Scores of queries from the views of context rows and queries."""

    def __init__(self) -> None:
        super().__init__()
        self.column1 = nn.Linear(COLUMN_NUMBERS, COLUMN_WIDTH)
        self.column2 = nn.Linear(COLUMN_WIDTH, COLUMN_WIDTH)
        self.column3 = nn.Linear(COLUMN_WIDTH, COLUMN_WIDTH)
        self.hint = nn.Linear(WIDTH, COLUMN_WIDTH)
        self.pool1, self.pool2 = Pool(), Pool()
        self.row = nn.Linear(ROW_NUMBERS, WIDTH)
        self.mix_norm = nn.LayerNorm(WIDTH)
        self.mix_up = nn.Linear(WIDTH, 2 * WIDTH)
        self.mix_down = nn.Linear(2 * WIDTH, WIDTH)
        self.role = nn.Parameter(torch.zeros(WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.score = nn.Linear(WIDTH, 1)
        self.skip = nn.Linear(ROW_NUMBERS, 1)
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.skip.weight)
        # It starts as the surprise of the distance to the fifth neighbour.
        nn.init.constant_(self.skip.weight[0, 1:2], 1.0)

    def embed(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return one vector per row of one task, (n_rows, WIDTH).

        Parameters
        ----------
        rows : float32 tensor of shape (n_rows, ROW_NUMBERS)
        columns : float32 tensor of shape (n_rows, d, COLUMN_NUMBERS)
        """
        e = torch.relu(self.column2(torch.relu(self.column1(columns))))
        h = self.row(rows) + self.pool1(e)
        h = h + self.mix_down(torch.relu(self.mix_up(self.mix_norm(h))))
        e = torch.relu(self.column3(e) + self.hint(h)[:, None])
        return h + self.pool2(e)

    def forward(self, rows: Tensor, columns: list[Tensor], n: int) -> Tensor:
        """Return scores of the queries, (tasks, n_queries).

        Parameters
        ----------
        rows : float32 tensor of shape (tasks, n + n_queries, ROW_NUMBERS)
            The context's rows first.
        columns : list of float32 tensors of shape (n + n_queries, d, COLUMN_NUMBERS)
            One per task.
        n : int
            Number of context rows.
        """
        h = torch.stack([self.embed(*pair) for pair in zip(rows, columns, strict=True)])
        h = torch.cat([h[:, :n] + self.role, h[:, n:]], dim=1)
        for block in self.blocks:
            h = block(h, n)
        h = self.norm(h[:, n:])
        return (self.score(h) + self.skip(rows[:, n:]))[..., 0]
