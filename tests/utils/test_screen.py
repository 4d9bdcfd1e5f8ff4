from pathlib import Path

from keras_mnist.results.tables import numbers_table
from keras_mnist.utils.screen import print_tables, screen, shown


def test_what_is_printed_is_printed_as_it_is(capsys):
    screen().print("x[bold] [/red]:x: 3.5 " + "long " * 50)
    screen(quiet=True).print("nothing")
    assert capsys.readouterr().out == "x[bold] [/red]:x: 3.5 " + "long " * 50 + "\n"


def test_a_path_is_shown_as_a_user_would_type_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "runs" / "seed0") == str(Path("runs", "seed0"))
    assert shown(tmp_path.parent / "elsewhere") == str(tmp_path.parent / "elsewhere")


def test_no_figure_is_cut_in_a_narrow_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    print_tables(numbers_table("t", ["what", "figure", "another"], [["a name", "26,812.5", "1,234.56"]]))
    said = capsys.readouterr().out
    assert "a name" in said and "26,812.5" in said and "1,234.56" in said
