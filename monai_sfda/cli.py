"""The console command: each verb composes the bundle's own configs, as ``python -m monai.bundle run`` would.

PyTorch and MONAI take seconds to import, so each verb imports them only after it has checked what needs neither.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fire

from monai_sfda import __version__
from monai_sfda.adapting import adapt_each, adapt_one
from monai_sfda.arguments import (
    bundle_folder,
    listed_files,
    measured_results,
    one_network,
    refuse_shared,
    refuse_surplus,
    refuse_taken,
    size_of_images,
    structure_names,
    with_places,
    writable_folder,
)
from monai_sfda.console import one_sentence, quiet
from monai_sfda.json_file import read_json
from monai_sfda.overrides import as_expression
from monai_sfda.places import existing_folder, labelled_folder, lock_folder
from monai_sfda.recipe_list import recipe_names
from monai_sfda.recipe_table import described_recipes
from monai_sfda.template import LOSSES, TASK, check_structures, new_task, write_bundle
from monai_sfda.typed import as_typed, expanded, switches, with_switches
from monai_sfda.workflow import check_configs, run_checked, run_configs

__all__ = ["adapt", "benchmark", "choose", "evaluate", "main", "methods", "new", "passport", "predict", "train"]


def new(
    name: str, *, bundle: str, structures: str | Sequence[str], head: str = "softmax", image_size: Any = None
) -> None:
    """Write a bundle for another task into the folder NAME, with the network of BUNDLE and without its weights.

    Then train it. What is about the task is in NAME/configs/task.json.

    Args:
        name: folder to write, which becomes the name of the bundle.
        bundle: folder of the bundle whose network is taken; --from BUNDLE means the same.
        structures: what is segmented: vessel, or disc,cup; the first is 1 in masks, the second 2, and so on.
        head: softmax if structures exclude each other, sigmoid if each has a channel of its own.
        image_size: height and width that images are resized to, such as [256,256], or the size of a window in voxels
            where the network sees volumes; the bundle's if left out.
    """
    name, bundle = expanded((str(name), bundle))
    names = structure_names(structures)
    check_structures(names)
    if head not in LOSSES:
        raise ValueError(f"Expected --head to be one of {', '.join(LOSSES)}, found {head}.")
    root, folder = bundle_folder(bundle), Path(name)
    source = read_json(root / "configs" / TASK)
    size = size_of_images(image_size, source["image_size"])
    refuse_taken(folder)
    task, left = new_task(source, names, head=head, image_size=size)
    write_bundle(folder, task)
    ids = ", ".join(f"{number} {name}" for number, name in enumerate(["background", *names]))
    file = "NAME.nii.gz" if "volumes" in task else "NAME.png"
    print(f"Bundle   {folder}: {head} over {', '.join(names)}, images of {' x '.join(map(str, task['image_size']))}")
    print(f"Labels   LABELLED/image/{file} and LABELLED/mask/{file}, masks with {ids}")
    if left:
        print(f"First    {left}; then: python -m monai_sfda.template {folder}")
    print(f"Next     monai-sfda train    {folder} LABELLED")
    print(f"         monai-sfda evaluate {folder} OTHER_LABELLED --output runs/source")
    print(f"         monai-sfda adapt    {folder} IMAGES --output runs/adapted")


def train(bundle: str, labelled: str, *, overwrite: bool = False, **overrides: Any) -> None:
    """Train BUNDLE on labelled images: LABELLED/image/NAME.png and LABELLED/mask/NAME.png, or NAME.nii.gz of volumes.

    A tenth of the images is held out: after each epoch the network is scored on it, and the best epoch is kept. Writes
    models/model.pt, passport.json (cut-offs), source_ratios.json (how large the structures are), prototypes.pt (mean
    features of the classes), training.csv and training.png. If you stop a training with Ctrl-C, the best epoch so far
    is kept in the same way.

    Args:
        bundle: folder of a MONAI bundle with configs/train.json.
        labelled: labelled folder.
        overwrite: replace the weights that the bundle has.
        overrides: any value of the config, for example --epochs 100 --learning_rate 0.0005; --checkpoint FILE starts
            from these weights, --ckpt_dir FOLDER writes to another folder than models.
    """
    bundle, labelled, overrides = expanded((bundle, labelled, overrides))
    root, _ = one_network(bundle), labelled_folder(labelled)
    folder = writable_folder(overrides.pop("ckpt_dir", root / "models"), option="--ckpt_dir")
    weights = folder / "model.pt"
    if weights.exists() and not overwrite:
        raise FileExistsError(
            f"Expected no weights at {weights} before a training, found some; add --overwrite to replace them, or "
            "--ckpt_dir FOLDER to keep both."
        )
    before = _written(weights)
    places = with_places({"val_interval": 1, **overrides}, dataset_dir=labelled, ckpt_dir=folder)
    stopped = False
    with lock_folder(folder):
        try:
            workflow = run_configs(root, ["train.json"], **places)
        except KeyboardInterrupt:
            if _written(weights) == before:
                sys.exit("\nStopped before an epoch was scored: no weights were written.")
            stopped = True
            print("\nStopped. The cut-offs of the best epoch so far are fitted; then it can be used.")
            workflow = run_configs(root, ["train.json"], run="%calibrate", **places)
        from monai_sfda.training import keep_curves, keep_ratios

        with quiet():
            keep_ratios(folder, workflow.parser, bundle=root, data=f"images of {Path(labelled).resolve().name}")
            keep_curves(folder, workflow.parser)
    print(f"\nWeights  {weights}, with passport.json and source_ratios.json beside them")
    print(f"Curves   {folder / 'training.png'}, {folder / 'training.csv'}")
    print(f"Next     monai-sfda evaluate {bundle} OTHER_LABELLED --output runs/source")
    print(f"         monai-sfda adapt    {bundle} IMAGES --output runs/adapted")
    if stopped:
        sys.exit("The training was stopped early; --overwrite --checkpoint FILE goes on from these weights.")


def passport(bundle: str, labelled: str, *, overwrite: bool = False, **overrides: Any) -> None:
    """Measure a BUNDLE that was trained elsewhere, on labelled images as `monai-sfda train` takes them.

    Writes what a training writes at its end: models/passport.json (the best cut-off of each structure),
    models/source_ratios.json (how large the structures are) and models/prototypes.pt (mean features of the classes).
    None of them holds an image.

    Args:
        bundle: folder of a MONAI bundle with configs/train.json and weights.
        labelled: labelled folder; images like those of the training, but not the same ones, on which it looks too good.
        overwrite: replace the passport that the weights have.
        overrides: any value of the config, for example --batch_size 4.
    """
    bundle, labelled, overrides = expanded((bundle, labelled, overrides))
    root, _ = bundle_folder(bundle), labelled_folder(labelled)
    folder = writable_folder(root / "models")
    weights = folder / "model.pt"
    if not weights.is_file():
        raise FileNotFoundError(f"Expected the weights of the network at {weights}, found no file; put them there.")
    from monai_sfda.passport import read_passport

    if read_passport(weights) and not overwrite:
        raise FileExistsError(
            f"Expected weights without a passport in {folder}, found one; add --overwrite to measure them again."
        )
    places = with_places(overrides, dataset_dir=labelled, ckpt_dir=folder)
    with lock_folder(folder):
        workflow = run_configs(root, ["train.json"], run="%calibrate", split="$[[], @pairs]", **places)
        from monai_sfda.training import keep_ratios

        with quiet():
            keep_ratios(folder, workflow.parser, bundle=root, data=f"images of {Path(labelled).resolve().name}")
    print(f"\nPassport {folder / 'passport.json'}, with source_ratios.json beside it")


def adapt(
    bundle: str,
    images: str,
    *,
    output: str,
    method: str | None = None,
    methods: str | None = None,
    budget: str | None = None,
    source: str | None = None,
    **overrides: Any,
) -> None:
    """Adapt BUNDLE to the unlabelled images of a folder.

    Writes OUTPUT/bundle (the adapted bundle), report.html, report.json, history.csv and checkpoints; with --methods,
    OUTPUT/candidates/METHOD of each, for `monai-sfda choose OUTPUT`. The same command continues a run that was stopped.

    Args:
        bundle: folder of a MONAI bundle with configs/adapt.json.
        images: folder with images, searched to any depth.
        output: folder to write.
        method: a recipe of the bundle, see `monai-sfda methods`; the bundle's default if left out.
        methods: several recipes, such as bn_stats,cbmt,dpl; fast: bn_stats, tent and the default; all: every recipe
            that keeps the network, with --source also those that use it.
        budget: how long --methods may take, such as 30min or 2h: a method that would probably not be finished by then
            is not begun. The same command with another budget goes on.
        source: labelled source images, SOURCE/image/NAME.png and SOURCE/mask/NAME.png, for methods that learn from
            them too, such as mpscl; the results say so.
        overrides: any value of the config, for example --epochs 10 --learning_rate 0.0001 --precision float32.
    """
    if methods is not None:
        return adapt_each(bundle, images, output, method, methods, budget, source, overrides)
    if budget is not None:
        raise ValueError(f"Expected --budget with --methods, found it with one method; leave --budget {budget} out.")
    adapt_one(bundle, images, output, method, source, overrides)


def choose(
    run: str,
    *,
    outlines: str | None = None,
    fine_tune: int = 0,
    source_masks: bool = False,
    weights_only: bool = False,
    device: str | None = None,
    precision: str | None = None,
) -> None:
    """Choose among the networks of `monai-sfda adapt --methods`, by a few outlines.

    Without --outlines, says which images to outline, and copies them into RUN/outline/image. With them, says which
    network to use or how many more outlines that takes, and writes RUN/choice/report.html and RUN/chosen, the bundle to
    use. The same command continues a run that was stopped.

    Args:
        run: output folder of `monai-sfda adapt --methods`.
        outlines: folder with label maps, png, NIfTI or DICOM-SEG (NIfTI or DICOM-SEG of volumes), named as the images
            in RUN/outline/image.
        fine_tune: also train the source network on the outlines, for so many epochs, and let it compete: each outline
            judges a network that has not seen it; pictures only.
        source_masks: also copy the masks of the source network into RUN/outline/source_mask, to correct instead of
            drawing; outlines that begin there favour the source network.
        weights_only: choose weights that the source bundle can use as they are: one network for all structures, at the
            bundle's own cut-offs.
        device: to compute on; that of the adaptation if left out.
        precision: to compute in, such as float32; that of the adaptation if left out.
    """
    run, outlines = expanded((run, outlines))
    folder = Path(run)
    if not (folder / "choice.json").is_file():
        raise FileNotFoundError(
            f"Expected the output of monai-sfda adapt --methods at {run}, found no choice.json; give its --output."
        )
    if type(fine_tune) is not int or fine_tune < 0 or (fine_tune and outlines is None):
        raise ValueError(f"Expected --fine_tune EPOCHS with --outlines FOLDER, found {fine_tune}; give both.")
    if fine_tune and weights_only:
        raise ValueError("Expected --fine_tune or --weights_only, found both: a training fits cut-offs of its own.")
    if outlines is not None:
        existing_folder(outlines)
    with lock_folder(folder):
        from monai_sfda.candidates import ask, measure, what_to_do, what_was_found

        asked = ask(folder, device=device, precision=precision, weights_only=weights_only, source_masks=source_masks)
        found = asked.order and outlines is not None
        if found:
            print(what_was_found(folder, measure(folder, asked, outlines, fine_tune=fine_tune)))
        else:
            print(what_to_do(folder, asked))


def predict(
    bundle: str, images: str, *, output: str, overlays: bool = False, formats: Any = (), **overrides: Any
) -> None:
    """Segment every image or volume of a folder, and say which to look at first.

    Writes OUTPUT/masks (label maps in the tree of the images, PNG, or NIfTI of volumes), results.csv (one row per image
    or volume), report.html, summary.json and failures.csv. Images that have a mask are skipped, so the same command
    continues a run that was stopped.

    Args:
        bundle: folder of a MONAI bundle.
        images: folder with images, searched to any depth.
        output: folder to write.
        overlays: also draw the outlines on every image, into OUTPUT/overlays.
        formats: also write the label maps as nifti, of pictures, into OUTPUT/nifti, or as DICOM Segmentation of images
            and series that are DICOM, into OUTPUT/dicom_seg: nifti, dicom_seg or nifti,dicom_seg.
        overrides: any value of the config, for example --batch_size 4. --pseudonym_salt TEXT names all outputs by
            keyed hashes of the images' names; --pseudonym_table FILE records which is which.
    """
    bundle, images, output, overrides = expanded((bundle, images, output, overrides))
    root, _, folder = bundle_folder(bundle), existing_folder(images), writable_folder(output, outside=images)
    configs, chosen = ["inference.json", "predict.json"], {"overlays": overlays, "formats": formats}
    with lock_folder(folder):
        if table := overrides.get("pseudonym_table"):
            refuse_shared(str(table), images, folder)
        secret = ("pseudonym_salt", "pseudonym_table")  # text, whatever it looks like
        if nameless := [key for key in secret if overrides.get(key) is True]:
            raise ValueError(f"Expected text after --{nameless[0]}, found none; give it, or leave the option out.")
        hidden = {key: as_expression(str(overrides.pop(key))) for key in secret if key in overrides}
        places = with_places(overrides, dataset_dir=images, results_dir=folder)
        checked = check_configs(root, configs, **chosen, **places, **hidden)
        from monai_sfda.failures import clear_drafts

        clear_drafts(folder)
        workflow = run_checked(root, configs, checked)
    summary = read_json(folder / "summary.json")
    count = f"{summary['images']} {summary.get('noun', 'images')}"
    print(f"\nMasks    {folder / 'masks'} ({count}, {summary['status']['review']} to look at first)")
    print(f"Report   {folder / 'report.html'}")
    print(f"Table    {folder / 'results.csv'}")
    if "studies" in summary:
        print(f"Studies  {folder / summary['studies']}")
    for name in workflow.parser.get_parsed_content("known_formats"):
        _say_format(folder, name, summary["images"])
    _say_failures(folder / "failures.csv")


def evaluate(bundle: str, dataset: str, *, output: str, **overrides: Any) -> None:
    """Score BUNDLE on labelled images: DATASET/image/NAME.png and DATASET/mask/NAME.png.

    Writes OUTPUT/cases.csv and summary.json: Dice, average symmetric surface distance and HD95 per case and structure;
    of volumes (NAME.nii.gz) in mm.

    Args:
        bundle: folder of a MONAI bundle.
        dataset: labelled folder.
        output: folder to write.
        overrides: any value of the config.
    """
    bundle, dataset, output, overrides = expanded((bundle, dataset, output, overrides))
    root, _, folder = bundle_folder(bundle), labelled_folder(dataset), writable_folder(output)
    places = with_places(overrides, dataset_dir=dataset, output_dir=folder)
    run_configs(root, ["inference.json", "evaluate.json"], **places)
    from monai_sfda.prediction.gather import score_table

    print(f"\n{score_table(json.loads((folder / 'summary.json').read_text()))}")
    print(f"\nCases    {folder / 'cases.csv'}")
    print(f"Summary  {folder / 'summary.json'}")
    _say_failures(folder / "failures.csv")


def methods(bundle: str = "bundles/fundus_disc_cup", *, results: str | None = None) -> None:
    """List the adaptation methods of a bundle.

    Args:
        bundle: folder of a MONAI bundle.
        results: output folder of `monai-sfda benchmark`; its figures are then listed too.
    """
    bundle, results = expanded((bundle, results))
    root = bundle_folder(bundle)
    measured = measured_results(Path(results) / "results.json") if results else []
    width = max(map(len, recipe_names(root)), default=0)
    for name, lines in described_recipes(root, measured):
        print(f"\n{'':{width + 1}}".join([f"{name:{width}} {lines[0]}", *lines[1:]]))


def benchmark(matrix: str | Sequence[str], *, output: str, replay: bool = False) -> None:
    """Compare methods x pairs x seeds, each cell once; the same command continues a run that was stopped.

    Writes OUTPUT/table.md, results.csv and results.json after each cell, and results.png at the end.

    Args:
        matrix: JSON file with pairs, methods and seeds, or several in brackets that are laid over each other, such as
            "['pairs.json','scripts/benchmarks/methods.json']".
        output: folder to write.
        replay: compute nothing, but write replay.md, replay.json and replay.png: what choosing with a handful of
            outlines would have decided on the cells that are finished in OUTPUT.
    """
    folder = writable_folder(expanded(output))
    files = expanded(listed_files(matrix) if isinstance(matrix, str) and matrix.startswith("[") else matrix)
    from monai_sfda.benchmark import (
        finished_cells,
        read_matrix,
        rows_of,
        run_matrix,
        write_plot,
        write_replay,
        write_table,
    )

    plan = read_matrix([files] if isinstance(files, str) else files)
    if replay:
        text = write_replay(finished_cells(plan, folder), folder)
        print(f"\n{text}\nReplay   {folder / 'replay.md'}\nPlot     {folder / 'replay.png'}")
        return
    cells = []
    with lock_folder(folder), quiet():
        for cell in run_matrix(plan, folder):
            cells.append(cell)
            table = write_table(cells, folder)
        write_plot(rows_of(cells), folder / "results.png")
    print(f"\n{table}\nTable    {folder / 'table.md'}\nPlot     {folder / 'results.png'}")
    tried = [cell for cell in cells if cell.kind == "method"] or cells
    if all(cell.failure for cell in tried):
        raise ValueError(f"Expected a method to succeed, found that all failed ({tried[0].failure}); see the table.")


def main() -> None:
    """Entry point of ``monai-sfda``."""
    with one_sentence():
        verbs = (new, train, passport, adapt, choose, predict, evaluate, methods, benchmark)
        commands = {command.__name__: command for command in verbs}
        words = sys.argv[1:]
        if words[:1] == ["new"]:
            words = [re.sub("^--from(?=$|=)", "--bundle", word) for word in words]  # no name that Python allows
        if words == ["--version"]:
            print(__version__)
            return
        if {"-h", "--help"} & set(words):
            words = [word for word in words[:1] if word in commands] + ["--", "--help"]
        elif words and words[0] in commands:
            words = with_switches(words, switches(commands[words[0]], words))
            refuse_surplus(words[1:], commands[words[0]])
        fire.Fire(commands, command=as_typed(words), name="monai-sfda")


def _written(path: Path) -> int | None:
    return path.stat().st_mtime_ns if path.exists() else None


def _say_format(folder: Path, name: str, images: int) -> None:
    from monai_sfda.failures import count_failures

    table = folder / f"{name}_failures.csv"
    count = count_failures(table)
    others = f"; {count} images have none, see {table}" if count else ""
    print(f"Also     {folder / name} ({images - count} files{others})")


def _say_failures(path: Path) -> None:
    from monai_sfda.failures import count_failures

    if count := count_failures(path):
        print(f"Failed   {count} image(s), see {path}")
