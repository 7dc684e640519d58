"""The script of phantoms: both sides in the layout that training and adaptation read."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import draw_phantoms

from monai_sfda.volumes import find_volume_pairs, find_volumes


@pytest.mark.parametrize("organ", draw_phantoms.ORGANS)
def test_both_sides_are_written_and_differ(organ, tmp_path, capsys):
    draw_phantoms.main([organ, str(tmp_path), "--count", "2"])
    for side in ("source", "target"):
        assert len(find_volume_pairs(tmp_path / side)) == 2
        assert len(find_volumes(tmp_path / side / "image")) == 2
    names = sorted(path.name for path in (tmp_path / "source" / "image").iterdir())
    assert names == ["phantom_000.nii.gz", "phantom_001.nii.gz"]
    one, other = ((tmp_path / side / "mask" / names[0]).read_bytes() for side in ("source", "target"))
    assert one != other
    assert f"2 phantoms in {tmp_path / 'target'}" in capsys.readouterr().out


def test_more_phantoms_are_the_same_ones_and_others(tmp_path):
    draw_phantoms.main(["spine", str(tmp_path / "few"), "--count", "1"])
    draw_phantoms.main(["spine", str(tmp_path / "more"), "--count", "2"])
    few, more = (tmp_path / name / "target" / "image" / "phantom_000.nii.gz" for name in ("few", "more"))
    assert few.read_bytes() == more.read_bytes()


def test_a_count_of_nothing_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        draw_phantoms.main(["spine", str(tmp_path / "out"), "--count", "0"])
    assert "Expected a count from 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
