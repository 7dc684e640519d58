"""Fine-tuning on the outlines, cross-fitted."""

import numpy as np
import pytest
from bundle_support import random_weights
from candidate_support import FUNDUS, NUCLEI, make_run, outline
from script_support import load

from monai_sfda.candidates.order import draw_once
from monai_sfda.candidates.run import record_source
from monai_sfda.candidates.structures import read_structures

CONTROL = load("fine_tune_control")


def test_a_label_map_is_made_of_its_channels():
    structures = read_structures(FUNDUS)
    ids = np.array([[0, 1, 2, 1]], np.uint8)
    channels = np.stack([np.isin(ids, own) for own in structures.ids])
    assert np.array_equal(CONTROL.label_map(channels, structures), ids)


def test_no_outline_trains_and_judges(tmp_path, capsys):
    run = make_run(tmp_path, {"source": (4,), "dpl": (1,)}, count=8)
    (run / "choice.json").unlink()
    random_weights(NUCLEI, tmp_path / "bundle" / "models" / "model.pt")
    options = {"image_size": [64, 64], "precision": "float32"}
    record_source(run, bundle=tmp_path / "bundle", images=tmp_path / "data" / "image", overrides=options)
    cases = [f"case_{number}.png" for number in range(8)]
    order = draw_once(run, cases, lambda: dict.fromkeys(cases, 0.2))
    (run / "outline" / "image").mkdir()
    for drawn in order:
        (run / "outline" / "image" / drawn.image).write_bytes((tmp_path / "data" / "image" / drawn.case).read_bytes())
    words = (str(run), str(outline(run, 8, tmp_path / "outlines")))
    CONTROL.main(*words, output=str(tmp_path / "control"), folds=2, epochs=1, batch_size=2)
    said = capsys.readouterr().out
    assert "fine-tuned  nucleus" in said
    assert "points on 8 outlines" in said
    for fold in (0, 1):
        home = tmp_path / "control" / f"fold_{fold}"
        others, held = ({path.name for path in (home / part / "image").iterdir()} for part in ("others", "held"))
        assert not others & held
        assert len(others | held) == 8
        assert (home / "scores" / "cases.csv").is_file()
    CONTROL.main(*words, output=str(tmp_path / "control"), folds=2, epochs=1, batch_size=2)
    assert said.splitlines()[-1] == capsys.readouterr().out.splitlines()[-1]
    with pytest.raises(SystemExit, match="found 1 of 8 outlines"):
        CONTROL.main(*words, output=str(tmp_path / "control"), folds=1)
