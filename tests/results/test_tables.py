import io

from rich.console import Console

from keras_mnist.models.analysis import layer_facts
from keras_mnist.results.tables import facts_table, layer_table, summary_text
from keras_mnist.utils.screen import screen
from tests.conftest import network


def test_a_long_path_is_printed_whole():
    path = "runs/" + "tuned,epochs=20," * 12
    page = Console(file=io.StringIO(), width=80)
    page.print(facts_table("a run", {"run": path, "epochs": "3"}))
    cells = [line.split("\u2502")[2].strip() for line in page.file.getvalue().splitlines() if "\u2502" in line]
    assert "".join(cells) == f"{path}3"


def test_in_a_notebook_a_summary_is_text_and_lines_go_to_standard_output(monkeypatch, capsys):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert "receptive field" in summary_text(network("bn_gap"))
    capsys.readouterr()  # what Keras shows of its own summary
    screen().print("a line")
    assert capsys.readouterr().out == "a line\n"


def test_the_mult_adds_of_a_layer_applied_more_than_once_stand_in_a_row_each():
    facts = layer_facts(network("tiny_1k"))
    names, mult_adds = (list(layer_table(facts).columns[index].cells) for index in (0, 3))
    assert {"block1_shared", "block1_shared (6)", "block2_shared (2)"} <= {*names}
    assert sum(int(text.replace(",", "")) for text in mult_adds) == sum(fact.mult_adds for fact in facts) == 358_622
