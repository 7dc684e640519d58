"""Progress as a line and as a file."""

import json
from types import SimpleNamespace

from monai_sfda.label import EpochLines


def engine(epoch, total):
    state = SimpleNamespace(epoch=epoch, max_epochs=total, output={"loss": 0.25})
    return SimpleNamespace(state=state)


def test_each_epoch_is_a_line_and_replaces_the_file(tmp_path, capsys):
    lines = EpochLines(tmp_path / "progress.json")
    lines.start -= 61
    lines.write(engine(1, 2))
    first = json.loads((tmp_path / "progress.json").read_text())
    lines.write(engine(2, 2))
    last = json.loads((tmp_path / "progress.json").read_text())
    assert (first["epoch"], first["total_epochs"], first["loss"]) == (1, 2, 0.25)
    assert first["current_time"] in ("0:01:01", "0:01:02")  # a second may turn in between
    assert "current_time" not in last
    assert "total_time" in last
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in printed] == ["adapting: epoch 1 of 2", "adapting: epoch 2 of 2"]
