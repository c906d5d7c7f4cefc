"""The fuzz targets: functions that take the bytes of a file and fail if a contract is broken.

A target reads its input as a run would. It may end with a LacunaError or with rejected records;
any other result must pass the checks below. A target with several files has them in one input,
separated by PARTED.
"""

import atexit
import json
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
import yaml

import laws
from chains import germline_chain, hidden, random_protein
from lacuna.antibody.germlines import LOCI
from lacuna.core import config
from lacuna.core.alphabet import AMBIGUOUS, MISSING_LETTER, RESIDUES
from lacuna.core.config import check_config
from lacuna.core.files import LacunaError
from lacuna.core.licences import licence_of, read_record
from lacuna.core.tensor_files import read_tensors, write_tensors
from lacuna.core.windows import MARKS, check_window
from lacuna.filling.lengths.possible import possible_lengths
from lacuna.network.encode import encode_scaffolds
from lacuna.network.transformer import load_large
from lacuna.network.weights import load_weights
from lacuna.reads.errors.model import load_error_models
from lacuna.reads.read import Read
from lacuna.reads.readers import read_peptides
from lacuna.scaffolds import fasta
from lacuna.scaffolds.fasta import count_records
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Gap, Rejected, Scaffold
from lacuna.steps.reads import load_reads, write_reads
from lacuna.steps.sheet import RESERVED, SPECIES, read_sheet
from lacuna.templates.homologs import read_homologs
from lacuna.templates.library import load_library, of_species
from lacuna.templates.nearest import Library

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
LIBRARY = ROOT / "resources" / "weights" / "open" / "library.safetensors"
PARTED = b"\n%%\n"
WINDOW = 128  # residues, the default of `kmer.length`
MAX_LENGTH = 2000  # residues of a chain; small, so that short inputs reach it
SMALL_CHUNK = 97  # bytes; reading a file in such chunks must give the same records
SMALL_CHUNKED = 4  # one in so many inputs is also read like this
MAX_NAME = 200  # characters of a sample's name: files are named after it
MAX_WHOLE = 2**32  # largest whole number in settings
# Scaffolds for gap tables; some ids look like words of BED, comments and formulas.
SCAFFOLDS = b"".join(
    b">%s\nEVQLVESGGG--QPGGSLRLX[+367.0537]SCAASJBZ\n" % name
    for name in (b"a", b"track", b"browser", b"#c", b"=d", b"chain", b"A b", "\u00e9".encode())
)
_FOLDER = Path("/dev/shm")
_TAG = re.compile(rb"\[[^\[\]]*\]|\{[^{}]*\}|\([^()]*\)")
_LAST_END = re.compile(rb"(\r\n|\r|\n)\Z")
_PLAIN = re.compile(rb"[%s*?_xXjJbBzZ-]+" % (RESIDUES + RESIDUES.lower()).encode())
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # moves a cursor or ends a line
_BLANKS = b" \t\r\n\x0b\x0c"


@cache
def scratch() -> Path:
    """The folder for inputs of this process, in memory if the system has such a folder."""
    folder = _FOLDER if _FOLDER.is_dir() else None
    made = Path(tempfile.mkdtemp(prefix="lacuna-fuzz-", dir=folder))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    for name in ("a.fasta", "b.fasta", "gaps.tsv", "b c.fasta"):
        (made / name).write_bytes(b">a\nACD\n")
    (made / "folder").mkdir()
    return made


def _put(name: str, data: bytes) -> Path:
    path = scratch() / name
    if path.suffix == ".safetensors":  # may be mapped into memory: never overwritten
        path.unlink(missing_ok=True)
    path.write_bytes(data)
    return path


def _parts(data: bytes, n: int) -> list[bytes]:
    """Split into exactly n parts; missing ones are empty."""
    found = data.split(PARTED, n - 1)
    return found + [b""] * (n - len(found))


# --- records -------------------------------------------------------------------------------------


def read_fasta(data: bytes) -> None:
    path = _put("chains.fasta", data)
    found = _records_of(path)
    check_records(found)
    assert count_records(path) == len(found)
    if data.startswith(b"\x1f\x8b"):
        return
    records, ends = _by_line(data), set(re.findall(rb"\r\n|\r|\n", _LAST_END.sub(b"", data)))
    if b"\r" in ends and len(ends) > 1:  # mixed line ends must not lose records silently
        assert len(found) == len(records) or any(isinstance(r, Rejected) for r in found)
        return
    assert len(found) == len(records)
    if b"\r" not in ends and crc32(data) % SMALL_CHUNKED == 0:
        _same_in_small_chunks(path, found)
    for record, (header, body) in zip(found, records, strict=True):
        name = (header.split(None, 1) or [b""])[0].decode("utf-8", "backslashreplace")
        # The id of a rejected record is shown cut, and with escapes for control characters.
        kept = re.split(r"\\|\.\.\.$", record.chain)[0]
        shown = isinstance(record, Rejected) and name.startswith(kept)
        assert record.chain == name or shown
        letters = body.translate(None, _BLANKS)
        if isinstance(record, Scaffold) and _PLAIN.fullmatch(letters):
            plain = re.sub(r"[-_?*]", MISSING_LETTER, letters.decode().removesuffix("*"))
            assert record.sequence == plain.upper()


def _records_of(path: Path) -> list[Scaffold | Rejected]:
    """The records of a FASTA, without remarks on usable ones."""
    records = read_scaffolds(path, max_length=MAX_LENGTH)
    return [record for record in records if isinstance(record, Scaffold) or not record.remark]


def _by_line(data: bytes) -> list[tuple[bytes, bytes]]:
    """Header and body of every record, if all of \\n, \\r\\n and \\r end a line."""
    lines = data.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANKS).splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith(b">")]
    return [
        (lines[start][1:], b"\n".join(lines[start + 1 : stop]))
        for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]


def _same_in_small_chunks(path: Path, found: list[Scaffold | Rejected]) -> None:
    if b"\r" in path.read_bytes():
        return  # the first chunk alone decides whether lines end with CR
    whole, fasta._CHUNK = fasta._CHUNK, SMALL_CHUNK
    try:
        again = _records_of(path)
    finally:
        fasta._CHUNK = whole
    assert [(r.chain, r.line) for r in again] == [(r.chain, r.line) for r in found]


def check_records(found: list[Scaffold | Rejected]) -> None:
    good = [record.chain for record in found if isinstance(record, Scaffold)]
    assert len(set(good)) == len(good)
    for record in found:
        if isinstance(record, Scaffold):
            check_scaffold(record)
        else:
            assert not _CONTROL.search(record.reason) and record.line > 0


def check_scaffold(scaffold: Scaffold) -> None:
    sequence = scaffold.sequence
    assert scaffold.chain and not re.search(r"[ \t\r\n\x0b\x0c]", scaffold.chain)
    assert not _CONTROL.search(scaffold.description.replace("\t", ""))
    assert 0 < len(sequence) <= MAX_LENGTH
    assert set(sequence) <= set(RESIDUES) | {MISSING_LETTER, *AMBIGUOUS}
    done, missing = 0, set()
    for gap in scaffold.gaps:
        assert done <= gap.start <= gap.end <= len(sequence)
        check_gap(gap)
        missing.update(range(gap.start, gap.end))
        done = gap.end
    assert missing >= {i for i, letter in enumerate(sequence) if letter not in RESIDUES}
    assert not any(sequence[i] in RESIDUES for i in missing)
    places = [modification.position for modification in scaffold.modifications]
    assert places == sorted(places) and all(0 <= place < len(sequence) for place in places)
    assert all(math.isfinite(modification.mass) for modification in scaffold.modifications)
    assert from_json(to_json(scaffold)) == scaffold


def check_gap(gap: Gap) -> None:
    longest = math.inf if gap.max_length is None else gap.max_length
    assert 0 <= gap.min_length <= longest
    if gap.mass is not None:
        assert gap.tolerance_da is not None and math.isfinite(gap.mass) and gap.mass > 0
        assert 0 <= gap.tolerance_da < gap.mass
    if gap.truth is not None:
        assert set(gap.truth) <= set(RESIDUES)
    lengths = possible_lengths(gap)
    assert all(gap.min_length <= length <= longest for length in lengths)


def read_gap_table(data: bytes) -> None:
    chains, plain = _without_table()
    found = list(read_scaffolds(chains, _put("gaps.tsv", data), max_length=MAX_LENGTH))
    check_records(found)
    by_name = {record.chain: record for record in found[: len(plain)]}
    assert list(by_name) == [record.chain for record in plain]
    for before in plain:
        after = by_name[before.chain]
        if isinstance(before, Scaffold) and isinstance(after, Scaffold):
            hidden_here = {i for gap in after.gaps for i in range(gap.start, gap.end)}
            for i, (old, new) in enumerate(zip(before.sequence, after.sequence, strict=True)):
                assert new == old or (new == MISSING_LETTER and i in hidden_here)
    for name, start, end in _plain_rows(data):
        record = by_name.get(name)
        if isinstance(record, Scaffold):  # no row of a chain in use is ignored
            # Neighbouring gaps of known mass are pieces of one.
            assert any(
                (start, end) == (gap.start, gap.end)
                or (gap.pieces and gap.start <= start <= end <= gap.end)
                for gap in record.gaps
            )


def read_evidence_table(data: bytes) -> None:
    chains, plain = _without_table()
    table = _put("evidence.tsv", data)
    found = list(read_scaffolds(chains, evidence=table, max_length=MAX_LENGTH))
    check_records(found)
    assert [record.chain for record in found[: len(plain)]] == [record.chain for record in plain]
    for before, after in zip(plain, found, strict=False):
        if isinstance(before, Scaffold) and isinstance(after, Scaffold):
            assert replace(after, evidence=()) == before
            assert len({e.position for e in after.evidence}) == len(after.evidence)
            for known in after.evidence:
                assert 0 <= known.position < len(after.sequence) and len(known.weights) == 20
                assert min(known.weights) >= 0 and math.isclose(sum(known.weights), 1)


@cache
def _without_table() -> tuple[Path, list[Scaffold | Rejected]]:
    path = _put("scaffolds.fasta", SCAFFOLDS)
    return path, list(read_scaffolds(path, max_length=MAX_LENGTH))


_PLAIN_ROW = re.compile(r"([^\t\s]+)\t([0-9]{1,6})\t([0-9]{1,6})(\t.*)?")


def _plain_rows(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Rows that no reader can misread: chain, start and end separated by tabs."""
    try:
        lines = re.split(r"\r\n|\r|\n", data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return
    # The first line decides what separates cells: one such as `a<tab>,4,2` makes them commas. If it
    # is a comment, a later one does.
    plain = _PLAIN_ROW.fullmatch(lines[0]) and not lines[0].startswith("#")
    if not lines[0].startswith("chain\tstart\tend") and not plain:
        return
    for line in lines:
        row = _PLAIN_ROW.fullmatch(line)
        if row:
            yield row[1], int(row[2]), int(row[3])


def read_notation(data: bytes) -> None:
    """ProForma and masses in Da: letters outside tags are observed; a tag on one is not a gap."""
    body = data.replace(b">", b"")
    path = _put("chains.fasta", b">m\n" + body + b"\n")
    (record,) = _records_of(path)
    check_records([record])
    if isinstance(record, Rejected):
        return
    text = body.translate(None, _BLANKS)
    outside = _without_tags(text).decode("utf-8", "replace").upper()
    seen = "".join(letter for letter in record.sequence if letter in RESIDUES)
    assert seen == "".join(letter for letter in outside if letter in RESIDUES)
    loose = sum(not gap.fixed for gap in record.gaps)
    assert loose <= len(re.findall(rb"[Xx]\[|\{", text))


def _without_tags(text: bytes) -> bytes:
    """The text outside brackets, which may be nested."""
    while (less := _TAG.sub(b"", text)) != text:
        text = less
    return text


def read_truth(data: bytes) -> None:
    """If the truth of every gap is known, the chain with it filled in is the true one."""
    chains, truth = (
        _put(name, part)
        for name, part in zip(("chains.fasta", "truth.fasta"), _parts(data, 2), strict=True)
    )
    found = list(read_scaffolds(chains, None, truth, max_length=MAX_LENGTH))
    check_records(found)
    told: dict[str, str] = {}
    for record in read_scaffolds(truth, max_length=MAX_LENGTH):
        if isinstance(record, Scaffold):
            told.setdefault(record.chain, record.sequence)
    for scaffold in (record for record in found if isinstance(record, Scaffold)):
        if scaffold.chain in told and all(gap.truth is not None for gap in scaffold.gaps):
            pieces, done = [], 0
            for gap in scaffold.gaps:
                pieces += scaffold.sequence[done : gap.start], gap.truth or ""
                done = gap.end
            whole = "".join(pieces) + scaffold.sequence[done:]
            true = told[scaffold.chain]
            assert len(whole) == len(true)
            assert all(t == w or t not in RESIDUES for t, w in zip(true, whole, strict=True))


def find_in_homologs(data: bytes) -> None:
    homologs = read_homologs(_put("homologs.fasta", data))
    if homologs is None:
        return
    assert len(set(homologs.sequences)) == len(homologs.sequences) > 0
    kmers = encode_scaffolds(_some_chains(), _library(), homologs, max_identity=0.95)
    assert len(kmers.targets) == 5 * len(_some_chains())


@cache
def _some_chains() -> tuple[Scaffold, ...]:
    """A V domain, a whole chain and another protein, each with a gap of five."""
    whole, other = germline_chain("K", 2, constant=True), random_protein(60, 1)
    chains = (germline_chain("H", 1), whole, other)
    return tuple(
        Scaffold(str(i), "", hidden(chain, [(20, 25)]), (Gap(20, 25, 5, 5),), 1)
        for i, chain in enumerate(chains)
    )


# --- peptide reads -------------------------------------------------------------------------------


def read_reads(data: bytes) -> None:
    path = _put("reads.csv", data)
    found = read_peptides([path])
    names = [read.name for read in found.reads]
    assert len(set(names)) == len(names)
    for read in found.reads:
        check_read(read)
    for row in found.rejected:
        assert row.reason.isprintable() and f":{row.line}: " in row.reason and "; " in row.reason
    kept = _put("reads.jsonl", b"")
    write_reads(kept, found.reads)
    assert load_reads(kept) == found.reads
    for probabilities in load_error_models().probabilities(found.reads):
        assert ((probabilities > 0) & (probabilities < 1)).all()


def check_read(read: Read) -> None:
    length = len(read.residues)
    assert read.residues and set(read.residues) <= set(RESIDUES)
    assert read.confidences is None or len(read.confidences) == length
    for share in (*(read.confidences or ()), read.score):
        assert share is None or 0 <= share <= 1
    for place, mass in read.modifications:
        assert -1 <= place <= length and math.isfinite(mass)


# --- sheets and settings -------------------------------------------------------------------------


def read_samples(data: bytes) -> None:
    samples = read_sheet(_put("samples.tsv", data))
    names = [sample.sample for sample in samples]
    assert names and len(set(names)) == len(names)
    for sample in samples:
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", sample.sample) and len(sample.sample) <= MAX_NAME
        assert sample.sample.strip(".") and sample.sample not in RESERVED
        assert sample.species in SPECIES
        for path in (sample.fasta, sample.gaps, sample.truth, sample.homologs):
            assert path is None or path.is_file()


def read_config(data: bytes) -> None:
    """A config file as text; Snakemake rejects one that is not YAML."""
    try:
        given = yaml.load(data, yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return
    if not isinstance(given, dict):
        return
    slow, config.yaml = config.yaml, _ParsedOnce()
    try:
        resolved = check_config(given)
        assert check_config(resolved) == resolved
    finally:
        config.yaml = slow
    schema = _parsed(SCHEMA.read_bytes())
    for key in schema["properties"]:
        if key not in ("samples", "pretrain"):
            _check_setting(resolved[key], schema["properties"][key])


def _check_setting(value: Any, schema: dict[str, Any]) -> None:
    """Whole numbers are int and within the machine's range, others finite."""
    if isinstance(value, dict):
        for key, below in value.items():
            _check_setting(below, schema["properties"][key])
    elif schema.get("type") == "integer":
        assert type(value) is int and value < MAX_WHOLE
    elif isinstance(value, float):
        assert math.isfinite(value)


@lru_cache(maxsize=4)
def _parsed(text: str | bytes) -> Any:
    return yaml.load(text, yaml.CSafeLoader)


class _ParsedOnce:
    """PyYAML, except that the schema, the same for all inputs, is parsed only once."""

    @staticmethod
    def safe_load(source: Any) -> Any:
        return _parsed(source.read() if hasattr(source, "read") else source)

    def __getattr__(self, name: str) -> Any:
        return getattr(yaml, name)


# --- tensors -------------------------------------------------------------------------------------


def read_weights(data: bytes) -> None:
    model = load_weights(_put("weights.safetensors", data))
    assert all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters())


def read_large(data: bytes) -> None:
    """The large network, by all that read its file: Snakefile, list of software, and job."""
    path = _put("large.safetensors", data)
    for read in (lambda: check_window(WINDOW, path), lambda: licence_of(read_record(path))):
        with suppress(LacunaError):
            read()
    model = load_large(path)
    assert all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters())
    check_window(model.sizes.positions - MARKS, path)


def read_library(data: bytes) -> None:
    """The bundled library with changes, given as JSON: see `fuzz_grammar`."""
    try:
        changes = json.loads(data)
        tensors = _changed(dict(_tensors()), changes)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError):
        return  # not a list of changes
    path = scratch() / "library.safetensors"
    write_tensors(path, tensors, {})
    library = load_library(path)
    assert all(
        bool(torch.isfinite(getattr(library, name).float()).all())
        for name in library.__dataclass_fields__
    )
    for species in ("auto", "human"):
        kmers = encode_scaffolds(_some_chains()[:1], of_species(library, species))
        assert int(kmers.chain_locus[0]) == LOCI.index("H")
        for _, batch in kmers.batches(1, library):
            assert bool(torch.isfinite(batch.profiles).all())


def _changed(tensors: dict[str, torch.Tensor], changes: list) -> dict[str, torch.Tensor]:
    """Tensors after changes such as ["dtype", "v_prior", "float16"]."""
    for kind, name, *what in changes:
        old = tensors[name]
        if kind == "drop":
            del tensors[name]
        elif kind == "dtype":
            tensors[name] = old.to(getattr(torch, what[0]))
        elif kind == "cut":
            tensors[name] = old[: what[0]]
        elif kind == "shape":
            tensors[name] = old.flatten()[: math.prod(what[0])].reshape(what[0])
        elif kind == "set":
            tensors[name] = old.clone()
            with suppress(OverflowError):  # JSON allows larger numbers than tensors
                tensors[name].view(-1)[what[0]] = float(what[1])
        elif kind == "swap":
            tensors[name], tensors[what[0]] = tensors[what[0]], old
    return tensors


@cache
def _tensors() -> dict[str, torch.Tensor]:
    return read_tensors(LIBRARY, "")[0]


@cache
def _library() -> Library:
    return load_library(LIBRARY)


# --- all of a run --------------------------------------------------------------------------------


def fill_chains(data: bytes) -> None:
    """FASTA, gap table and homologs through a whole run, which must satisfy every law."""
    chains, gaps, related = _parts(data, 3)
    found = read_scaffolds(
        _put("chains.fasta", chains),
        _put("gaps.tsv", gaps) if gaps else None,
        max_length=MAX_LENGTH,
    )
    scaffolds = [record for record in found if isinstance(record, Scaffold)]
    homologs = read_homologs(_put("homologs.fasta", related)) if related else None
    folder = scratch() / "run"
    run = laws.fill(scaffolds, folder, homologs=homologs)
    for law in laws.LAWS:
        law(run)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "fasta": read_fasta,
    "gap_table": read_gap_table,
    "evidence_table": read_evidence_table,
    "notation": read_notation,
    "truth": read_truth,
    "homologs": find_in_homologs,
    "reads": read_reads,
    "sheet": read_samples,
    "config": read_config,
    "weights": read_weights,
    "large": read_large,
    "library": read_library,
    "fill": fill_chains,
}
__all__ = ["MAX_LENGTH", "PARTED", "TARGETS", "scratch"]
