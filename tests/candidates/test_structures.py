"""What the ids of a bundle's label maps mean."""

import nibabel
import numpy as np
from bundle_support import ROOT
from candidate_support import FUNDUS, NUCLEI
from PIL import Image

from monai_sfda.candidates.structures import read_structures


def test_the_disc_contains_the_cup():
    structures = read_structures(FUNDUS)
    assert structures[:6] == (["disc", "cup"], [[1, 2], [2]], "sigmoid", True, ["optic disc", "optic cup"], False)
    assert not structures.joint
    assert structures._replace(one_network=True).joint
    assert structures.legend() == "0 background, 1 disc, 2 disc + cup"
    channels = structures.channels(Image.fromarray(np.array([[0, 1, 2]], np.uint8)))
    assert channels.tolist() == [[[False, True, True]], [[False, False, True]]]


def test_a_single_structure_is_decided_by_itself():
    assert read_structures(NUCLEI)[:6] == (["nucleus"], [[1]], "softmax", False, ["nucleus"], False)


def test_label_maps_of_volumes_lie_on_the_voxels_of_the_file(tmp_path):
    structures = read_structures(ROOT / "bundles" / "hippocampus_mri")
    assert structures.volumes
    ids = np.zeros((3, 4, 5), np.uint8)
    ids[2, 0], ids[1, 3, 4] = 1, 2
    nibabel.save(nibabel.Nifti1Image(ids, np.diag([-1.0, 2, 3, 1])), tmp_path / "mask.nii.gz")
    assert np.array_equal(structures.read(tmp_path / "mask.nii.gz"), np.stack([ids == 1, ids == 2]))
