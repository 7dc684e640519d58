"""Run methods x pairs x seeds from one small file, on one source network per pair; each combination runs once."""

from monai_sfda.benchmark.matrix import Matrix, Method, Pair, read_matrix
from monai_sfda.benchmark.plot import write_plot
from monai_sfda.benchmark.replay import write_replay
from monai_sfda.benchmark.run import finished_cells, run_matrix
from monai_sfda.benchmark.table import rows_of, write_table

__all__ = [
    "Matrix",
    "Method",
    "Pair",
    "finished_cells",
    "read_matrix",
    "rows_of",
    "run_matrix",
    "write_plot",
    "write_replay",
    "write_table",
]
