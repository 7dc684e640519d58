"""Simulated photographs of the retina and the cameras that take them."""

from monai_sfda.organs.fundus.simulated.cameras import CAMERAS, Camera
from monai_sfda.organs.fundus.simulated.clinic import simulate_fundus, write_clinic

__all__ = [
    "CAMERAS",
    "Camera",
    "simulate_fundus",
    "write_clinic",
]
