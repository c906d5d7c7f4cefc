"""InstaNovo 1.0 to 1.2 and InstaNovo+: log probabilities of tokens, under names that changed.

InstaNovo+ gives no scores of residues; since 1.2 it leaves their column empty. The files of both
together name the model that each peptide is from: if it is InstaNovo's, the residues have scores.
"""

from collections.abc import Iterable

from lacuna.reads.formats import TableFormat
from lacuna.reads.origin import Origin, number, numbers, per_residue, probabilities
from lacuna.reads.peptide import parse_peptide
from lacuna.reads.read import Read
from lacuna.reads.table import Cells

PLUS = "instanovoplus"
# As version 1.2 names it, and as its documentation does; beams have no scores of tokens.
_TOKENS_COMBINED = (
    "instanovo_prediction_token_log_probabilities",
    "instanovo_token_log_probabilities",
)
_NO_TOKENS = "[0]"


def _read(origin: Origin, text: str, token_scores: str, score: str) -> Iterable[Read]:
    """token_scores: a list of log probabilities as Python writes it, or empty."""
    if not text:
        return []
    peptide = parse_peptide(text)
    scores = None
    if token_scores:
        scores = probabilities(numbers(token_scores.strip("[]").split(",")))
        if len(scores) == peptide.n_tokens + 1:
            # Beam search adds that of the end of the peptide (github.com/instadeepai/InstaNovo,
            # issue 106), first or last: of each token the lower of the two that may be its own.
            scores = list(map(min, scores[:-1], scores[1:]))
    whole = per_residue(number(score), len(peptide.residues))
    return [origin.read(peptide, scores=scores, score=whole)]


def _table(peptide: str, score: str, tokens: str) -> TableFormat:
    def read_row(cells: Cells, origin: Origin) -> Iterable[Read]:
        token_scores = cells.get(tokens, "")
        if tokens in cells and not token_scores:
            origin = origin._replace(tool=PLUS)
        return _read(origin, cells[peptide], token_scores, cells[score])

    return TableFormat("instanovo", "InstaNovo", (peptide, score), (tokens,), read_row)


def _refined(cells: Cells, origin: Origin) -> Iterable[Read]:
    """InstaNovo+ 1.1: the better of both models, named in `selected_model`."""
    of_transformer = cells["selected_model"] == "transformer"
    tokens = cells.get("transformer_token_log_probabilities", "") if of_transformer else ""
    if not of_transformer:
        origin = origin._replace(tool=PLUS)
    return _read(origin, cells["final_prediction"], tokens, cells["final_log_probabilities"])


def _combined(cells: Cells, origin: Origin) -> Iterable[Read]:
    """1.2: InstaNovo's peptide is among the columns, as a list of tokens."""
    text = cells["predictions"]
    first = "".join(cells["instanovo_predictions"].strip("[]").replace("'", "").split(", "))
    # A modification of the N terminus has a dash behind it in the peptide, but not as a token.
    if text.replace("-", "") == first.replace("-", ""):
        tokens = next((cells[name] for name in _TOKENS_COMBINED if name in cells), "")
        return _read(origin, text, "" if tokens == _NO_TOKENS else tokens, cells["log_probs"])
    return _read(origin._replace(tool=PLUS), text, "", cells["log_probs"])


def _plus(cells: Cells, origin: Origin) -> Iterable[Read]:
    return _read(origin, cells["predictions"], "", cells["log_probs"])


FORMATS = (
    TableFormat(
        PLUS,
        "InstaNovo+",
        ("final_prediction", "final_log_probabilities", "selected_model"),
        ("transformer_token_log_probabilities",),
        _refined,
    ),
    TableFormat(
        PLUS,
        "InstaNovo+",
        ("predictions", "log_probs", "instanovo_predictions"),
        _TOKENS_COMBINED,
        _combined,
    ),
    _table("preds", "log_probs", "token_log_probs"),
    _table("predictions", "log_probabilities", "token_log_probabilities"),
    _table("predictions", "log_probs", "token_log_probs"),
    TableFormat(PLUS, "InstaNovo+", ("predictions", "log_probs"), (), _plus),  # if named
)
