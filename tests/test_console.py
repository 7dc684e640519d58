import logging
import shutil
import warnings

import pytest

from monai_sfda.console import one_sentence, quiet
from monai_sfda.root_cause import root_cause


def wrapped() -> None:
    """An error as MONAI's parser passes it on."""
    try:
        raise FileNotFoundError("Expected a folder, found nothing; make it.")
    except FileNotFoundError as error:
        raise RuntimeError("Failed to instantiate item 7") from error


def test_the_first_cause_is_what_a_user_reads():
    with pytest.raises(SystemExit) as stop, one_sentence():
        wrapped()
    assert stop.value.code == "monai-sfda: Expected a folder, found nothing; make it."


def test_an_unexpected_error_shows_where_it_happened(capsys):
    with pytest.raises(SystemExit) as stop, one_sentence():
        raise KeyError("oops")
    assert "unexpected KeyError" in str(stop.value.code)
    assert "test_console.py" in capsys.readouterr().err


def test_interruption_says_how_to_go_on():
    with pytest.raises(SystemExit, match="repeat the command"), one_sentence():
        raise KeyboardInterrupt


def test_root_cause_of_a_plain_error_is_itself():
    error = ValueError("x")
    assert root_cause(error) is error


def test_quiet_leaves_the_loggers_as_they_were():
    logger = logging.getLogger("monai.bundle")
    logger.setLevel(logging.INFO)
    with quiet():
        assert logger.level == logging.ERROR
    assert logger.level == logging.INFO


def test_loggers_that_are_made_within_quiet_are_quiet_too():
    with quiet():
        assert not logging.getLogger("monai.made_within_quiet").isEnabledFor(logging.WARNING)
    assert logging.getLogger("monai.made_within_quiet").isEnabledFor(logging.WARNING)


def test_only_warnings_of_others_are_kept_off_the_screen(caplog):
    with warnings.catch_warnings(record=True) as seen, quiet():
        warnings.warn("not for users", stacklevel=1)
        logging.getLogger("monai_sfda.data").warning("1 of 2 images cannot be read")
    assert not seen
    assert "cannot be read" in caplog.text


def test_files_that_cannot_be_copied_are_counted_and_the_first_is_named():
    with pytest.raises(SystemExit) as stop, one_sentence():
        raise shutil.Error([("a", "b/c", "[Errno 28] No space left on device"), ("d", "e", "the same")])
    assert "found: [Errno 28] No space left on device (2 files, first b/c); correct" in str(stop.value.code)
