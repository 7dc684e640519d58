"""The summary of several replays."""

import json
import runpy

from bundle_support import ROOT

MAIN = runpy.run_path(str(ROOT / "scripts" / "summarise_replays.py"))["main"]


def panel(pair, structure, gains, best, rule):
    """``rule``: harm, gain and outlines used, at 10 and at most."""
    always = {f"always {name}": {"10": {"gain": sum(values) / len(values)}} for name, values in gains.items()}
    harm, gain, used = rule
    share = {"harm": harm, "gain": gain, "used": [used, 20], "said": None}
    return {
        "pair": pair,
        "structure": structure,
        "gains": gains,
        "best": best,
        "shares": {"the rule": {"10": share, "15": share}, **always},
    }


def written(folder, *panels):
    folder.mkdir()
    (folder / "replay.json").write_text(json.dumps({"panels": panels}))
    return str(folder)


def test_structures_count_within_their_pair_and_pairs_alike(tmp_path, capsys):
    """Pair a: of four runs one loses; kept (2 + 0) / (2 + 2). Pair b: nothing is to be gained."""
    a = written(
        tmp_path / "a",
        panel("a", "disc", {"dpl": [0.02], "cbmt": [0.01]}, 0.02, (0.0, 0.02, 5)),
        panel("a", "cup", {"dpl": [0.02], "cbmt": [-0.02]}, 0.02, (0.1, 0.0, 10)),
    )
    b = written(tmp_path / "b", panel("b", "nucleus", {"dpl": [-0.05]}, 0.0, (0.0, 0.0, 8)))
    MAIN([a, b])
    assert capsys.readouterr().out.splitlines()[2:] == [
        "| a | 2.0 | 25.0 | 5.0 | 50.0 | 1.0 | 2.0 | 7.5 | - |",
        "| b | 1.0 | 100.0 | 0.0 | - | 0.0 | 0.0 | 8.0 | - |",
        "| mean | 1.5 | 62.5 | 2.5 | 50.0 | 0.5 | 1.0 | 7.8 | - |",
        "",
        "The same method for all pairs, points: dpl -1.5",
        "The best of them, which nobody knows beforehand, is dpl.",
    ]
