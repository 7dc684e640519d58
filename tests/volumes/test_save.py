import nibabel
import numpy as np
import torch
from monai.data import MetaTensor
from PIL import Image

from monai_sfda.mask_file import row_of
from monai_sfda.volumes import SaveVolumeMaskd, read_volume


def test_a_picture_wider_than_nifti_1_can_count_has_a_mask(tmp_path):
    image = tmp_path / "a.png"
    Image.fromarray(np.zeros((1, 33000), np.uint8)).save(image)
    ids = np.arange(33000, dtype=np.uint8).reshape(33000, 1, 1)
    meta = {"filename_or_obj": str(image), "files": str(image), "measured": False}
    mask = MetaTensor(torch.from_numpy(ids)[None], affine=torch.eye(4), meta=meta)
    SaveVolumeMaskd("pred", output_dir=tmp_path)({"pred": mask, "output": "a.nii.gz", "row": {"file": "a.png"}})
    assert isinstance(nibabel.load(tmp_path / "a.nii.gz"), nibabel.Nifti2Image)
    assert np.array_equal(read_volume(str(tmp_path / "a.nii.gz")).values, ids)
    assert row_of(tmp_path / "a.nii.gz") == {"file": "a.png"}
