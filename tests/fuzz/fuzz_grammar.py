"""Inputs for the targets: valid files as seeds, and changes that follow their grammar.

All use one random generator, so that a run can be repeated from its seed.
"""

import gzip
import json
import re
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import torch
from fuzz_targets import PARTED, scratch

from chains import germline_chain, mutated, random_protein
from lacuna.core.alphabet import RESIDUES
from lacuna.core.config import read_schema
from lacuna.core.paths import CONFIG_SCHEMA
from lacuna.network.model import GapNetwork, ModelConfig
from lacuna.network.transformer import LargeNetwork, TransformerConfig
from lacuna.network.weights import save_packed, save_weights

CORPUS = Path(__file__).parent / "corpus"
MAX_BYTES = 8192  # size of a text input
NUMBERS = (
    "0 1 -1 2 3 10 57 128 367.0537 420.18 0.0 -0.0 .5 1e3 1e308 1e309 1e-9 nan inf -inf 999999999 "
    "2147483648 9223372036854775808 1_000 0x10 1,5 +5 007 \u0661 50000 100000 3000000000"
).split() + ["9" * 400, "9" * 5000, "1" * 309 + ".5"]
CHARACTERS = [
    *"\0\t\r\n\x0b\x0c\x85\xa0\u2028\ufeff\u00e9\U0001f600'\"`$;|&<>\\/{}[]()%#@!=,.:*-_?",
    *("\x1b[31m", "e\u0301", "$(x)", "../", "{{", "}}", "=1+1"),
]
SEQUENCE = "- X x * _ ? J B Z U O EVQLVE evqlve 1 . XXXXX --- JBZ".split()
TAGS = (
    "X[+367.0537] {420 Da} {420.18 Da} {420.18Da} C[+57.0215] M[Oxidation] N[U:7] [Acetyl]-E /2 "
    "C[Carbamidomethyl] C(+57.02) M(ox) M(+15.99) X[-18.01] X[+1e5] X[1] X[U:+57.02] X[M:+57] "
    "S[Phospho] K[UNIMOD:1] N[Glycan:Hex5HexNAc4] [Acetyl]- -[Amidated] E-[Amidated] <13C> <C13> "
    "<[Carbamidomethyl]@C> {Glycan:Hex} C[+57.02|Carbamidomethyl] C[Formula:C2H3NO] C[#g1] { Da} "
    "M[Oxidation#g1] [Oxidation]?M (AB)[+57] X[+57.02146][+1] [[ ]] {} [] () {Da} {1 Da 2 Da} "
    "X[Obs:+15.99] X[+15.99#XL1] M[INFO:x] S[+79.966331 X[++3] X[+] X[info] n[Acetyl] "
    "X[+99999999999] X[+0] X[+57.0215|info] {57 da} {57 DA} {-57 Da} {1e3 Da} C[XLMOD:02001#XL1]"
).split(" ")
READ_TAGS = (
    "(+57.02) (+.98) [UNIMOD:4] +42.011 +43.006-17.027 (Cam) (O) [Acetyl]- mod _ {I|L} "
    "(Oxidation (M)) (sub G) K. .K a (+1e5) (+nan) ((+1)) [[]] {|} {{A|C}|D} -[Amidated] (0)"
).split(" ")
# What tools write: the header, and a row with a peptide, confidences and numbers to be put in.
READ_TABLES = (
    ("peptide,confidence,mass,intensity", '{peptide},{blank},{number},{number}'),
    ("Scan,Peptide,ALC (%),m/z,z,Area,Mass,local confidence (%)",
     "1,{peptide},{number},{number},2,{number},{number},{percent}"),
    ("preds,log_probs,token_log_probs,precursor_mz,precursor_charge",
     '{peptide},{number},"[{logs}]",{number},2'),
    ("predictions,log_probs,instanovo_predictions,instanovo_prediction_token_log_probabilities",
     "{peptide},{number},\"['{peptide}']\",\"[{logs}]\""),
    ("# id, scanNum, mz(data), z, score, peptide, aaScore, ",
     "0, 1, {number}, 2, {number}, {peptide}, {dashes}"),
    ("predicted_sequence\tpredicted_score\tpredicted_position_score\tprecursor_mz\tprecursor_charge",
     "{commas}\t{number}\t{logs}\t{number}\t2.0"),
    ("Raw file\tm/z\tCharge\tDN sequence\tDN nterm mass\tDN cterm mass",
     "x\t{number}\t2\t{peptide}\t{number}\t{number}"),
    ("Raw file\tm/z\tCharge\tModified sequence\tReverse", "x\t{number}\t2\t_{peptide}_\t+"),
    ("TITLE\tDENOVO\tScore\tPositional Score", "x\t{peptide}\t{number}\t[{list}]"),
    ("label\tprediction\tcharge\tscore", "x\t{peptide}\t2\t{number}"),
    ("", "x\t{peptide}\t{number}"),
    ("", "x,1,{number},1,0_1,0,['{peptide}'],x,\"1,Oxidation[M];\""),
    ("", "1\t2\t{number}\t['{peptide}']\t0\t{number}\t['{peptide}']\t0\t0"),
    ("", "Index:1\t{peptide}\t1\t2\t{number}\t{list}\t3\t4\t5"),
    ("MTD\tmzTab-version\t1.0.0\nMTD\tsoftware[1]\t[MS, MS:1, Casanovo, 4.2.1]\n"
     "PSH\tsequence\tPSM_ID\tsearch_engine_score[1]\tcharge\texp_mass_to_charge\t"
     "opt_ms_run[1]_aa_scores",
     "PSM\t{peptide}\t1\t{number}\t2\t{number}\t{list}"),
)  # fmt: skip
COLUMNS = "chain start end mass tolerance_ppm tolerance_da min_length max_length prefix_masses"
EVIDENCE = "chain position residue probability"
SHEET = "sample fasta gaps truth homologs species alkylation reads masses evidence"
_KEYS = read_schema(CONFIG_SCHEMA)["properties"]
SECTIONS = [name for name, key in _KEYS.items() if key["type"] == "object"]
SETTINGS = [name for name in _KEYS if name not in ("samples", *SECTIONS)]
SETTINGS += [name for section in SECTIONS for name in _KEYS[section].get("properties", ())]
YAML = "samples __use_yte__ true false null ~ yes no [] {} [1] {a:1} &a *a << .nan".split()
VALUES = "1 0 a true null .nan .inf 1.0e+30 5.0 -1 [a] {} 0.5 [1] 1e9".split()
WORDS: dict[str, list[str]] = {
    "fasta": [">", ">a", ">a b", "> a", ";", *SEQUENCE],
    "gap_table": [*COLUMNS.split(), "a", "track", "browser", "#c", "=d", "#", ".", "NA", "A"],
    "evidence_table": [*EVIDENCE.split(), "a", "b", "A", "D", "N", "O", "B", ",", ";"],
    "notation": [*TAGS, *TAGS, *SEQUENCE],
    "truth": [">a", ">b", "A", "CDE", *SEQUENCE, "X[+367.0537]"],
    "homologs": [">a", "EVQLVESGGGLVQPGGSLRLSCAAS", "WGQGTLVTVSS", *SEQUENCE],
    "reads": [*READ_TAGS, *TAGS[:8], "peptide", "sep=;", "PSM", "MTD", "EVQ", "nan", "null"],
    "sheet": [*SHEET.split(), "a.fasta", "b c.fasta", "folder", "human", "auto", "a" * 250],
    "config": [*SECTIONS, *SETTINGS, *YAML],
    "library": ["drop", "dtype", "cut", "shape", "set", "swap", "v", "j", "v_prior", "v_profile"],
    "fill": [">a", ">b", *SEQUENCE, *TAGS[:4], "WGQGTLVTVSSASTKGPSVFPLAPSSKS"],
}
NETWORKS = ("weights", "large")  # targets that are files of tensors
LINE_ENDS = (b"\n", b"\r\n", b"\r", b"\n\n", b"\n\r")
_TOKENS = re.compile(rb"\s|[A-Za-z]+|[0-9.]+|[^\sA-Za-z0-9.]")


@cache
def seeds(target: str) -> tuple[bytes, ...]:
    """A valid input and the whole corpus: more valid inputs, and earlier findings."""
    kept = tuple(path.read_bytes() for path in sorted((CORPUS / target).glob("*")))
    made = _small_weights(target) if target in NETWORKS else FRESH[target](Random(0))
    return (*kept, made)


def _small_weights(target: str) -> bytes:
    path = scratch() / "seed.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if target == "large":  # matrices are packed from 256 x 256 on
            sizes = TransformerConfig(width=256, layers=1, heads=4, inner=8, positions=8)
            save_packed(path, LargeNetwork(ModelConfig(), sizes), {"steps": 1})
        else:
            save_weights(path, GapNetwork(ModelConfig(channels=2, hidden=2)), {"steps": 1})
    return path.read_bytes()


def draw(rng: Random, target: str) -> bytes:
    """An input: a seed or a new file, changed in some places."""
    fresh = target in FRESH and rng.random() < 0.5
    data = FRESH[target](rng) if fresh else rng.choice(seeds(target))
    return data if rng.random() < 0.05 else mutate(rng, target, data)


def mutate(rng: Random, target: str, data: bytes) -> bytes:
    """The input with one to eight changes."""
    if target in NETWORKS:
        return _changed_tensors(rng, data)
    for _ in range(1 + int(rng.expovariate(0.7)) % 8):
        data = rng.choice(CHANGES)(rng, target, data)
    return data[:MAX_BYTES]


# --- changes of text -----------------------------------------------------------------------------


def _word(rng: Random, target: str) -> bytes:
    drawn = rng.random()
    words = WORDS[target] if drawn < 0.6 else NUMBERS if drawn < 0.85 else CHARACTERS
    return rng.choice(words).encode("utf-8", "surrogatepass")


def _tokens(rng: Random, target: str, data: bytes) -> bytes:
    """Replace, duplicate, remove, move or insert a token."""
    tokens = _TOKENS.findall(data) or [b""]
    at = rng.randrange(len(tokens))
    match rng.randrange(5):
        case 0:
            tokens[at] = _word(rng, target)
        case 1:
            tokens[at] *= rng.choice((2, 2, 3, 50))
        case 2:
            del tokens[at]
        case 3:
            tokens.insert(rng.randrange(len(tokens)), tokens.pop(at))
        case _:
            tokens.insert(at, _word(rng, target))
    return b"".join(tokens)


def _numbers(rng: Random, target: str, data: bytes) -> bytes:
    """Replace a number by another one or a nearby one."""
    found = list(re.finditer(rb"[0-9]+(?:\.[0-9]+)?", data))
    if not found:
        return _tokens(rng, target, data)
    number = rng.choice(found)
    new = rng.choice(NUMBERS)
    if rng.random() < 0.5 and len(number[0]) < 9:
        new = f"{float(number[0]) + rng.choice((-1, 1, 0.5, 100)):g}"
    return data[: number.start()] + new.encode() + data[number.end() :]


def _lines(rng: Random, target: str, data: bytes) -> bytes:
    """Duplicate, remove, move or join a line, or reorder its cells."""
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            lines.insert(at, lines[at])
        case 1:
            del lines[at]
        case 2:
            lines.insert(rng.randrange(len(lines)), lines.pop(at))
        case 3:
            lines[at : at + 2] = [b"".join(lines[at : at + 2])]
        case _:
            cells = lines[at].split(b"\t")
            rng.shuffle(cells)
            lines[at] = rng.choice((b"\t", b"\t", b" ", b",")).join(cells)
    return b"\n".join(lines)


def _bytes(rng: Random, target: str, data: bytes) -> bytes:
    """Replace or insert a byte, cut out a piece, or cut off the end."""
    at, to = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    match rng.randrange(4):
        case 0:
            return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        case 1:
            return data[:at] + bytes([rng.randrange(256)]) + data[at:]
        case 2:
            return data[:at] + data[to:]
        case _:
            return data[:to]


def _splice(rng: Random, target: str, data: bytes) -> bytes:
    other = rng.choice(seeds(target))
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _layout(rng: Random, target: str, data: bytes) -> bytes:
    """Change line ends, byte-order marks, gzip (whole or cut short) and encodings."""
    match rng.randrange(8):
        case 0 | 1:
            return data.replace(b"\n", rng.choice(LINE_ENDS))
        case 2:
            return rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\n", b" ")) + data
        case 3:
            return data.lower()
        case 4:
            return data.rstrip(b"\n")
        case 5:
            zipped = gzip.compress(data, 1, mtime=0)
            return zipped if rng.random() < 0.7 else zipped[: rng.randrange(len(zipped))]
        case 6:
            ends = list(re.finditer(rb"\n", data))
            at = rng.choice(ends).start() if ends else 0
            return data[:at] + rng.choice(LINE_ENDS) + data[at + 1 :]
        case _:
            text = data.decode("utf-8", "replace")
            return text.encode(rng.choice(("utf-16", "latin-1")), "replace")


CHANGES = (_tokens, _tokens, _tokens, _numbers, _lines, _bytes, _splice, _layout)


# --- new files -----------------------------------------------------------------------------------


def _some_sequence(rng: Random, words: list[str]) -> str:
    pieces = [random_protein(rng.randrange(1, 20), rng.randrange(50)) for _ in range(3)]
    return "".join(piece + rng.choice(words) * rng.randrange(3) for piece in pieces)


def _new_fasta(rng: Random) -> bytes:
    names = ["a", "b", "c", "track", "#c", "=d", "\u00e9", "x|y", "-z"]
    rng.shuffle(names)
    text = ""
    for name in names[: rng.randrange(1, 5)]:
        sequence, width = _some_sequence(rng, SEQUENCE), rng.choice((7, 60, 1000))
        lines = [sequence[i : i + width] for i in range(0, len(sequence), width)]
        text += f">{name} {rng.choice(('', 'of a mouse'))}\n" + "\n".join(lines) + "\n"
    return text.encode()


def _new_gap_table(rng: Random) -> bytes:
    columns = ["chain", "start", "end", *rng.sample(COLUMNS.split()[3:8], rng.randrange(4))]
    bed = rng.random() < 0.3
    lines = [] if bed else ["\t".join(columns)]
    for _ in range(rng.randrange(1, 8)):
        start = rng.randrange(35)
        cells = {
            "chain": rng.choice(["a", "track", "browser", "#c", "=d", "chain", "A", "\u00e9"]),
            "start": str(start),
            "end": str(start + rng.randrange(6)),
            "mass": f"{rng.uniform(57, 900):.4f}",
            "tolerance_ppm": rng.choice(["10", "", "20"]),
            "tolerance_da": rng.choice(["", "0.01"]),
            "min_length": rng.choice(["", "1", "0", "4"]),
            "max_length": rng.choice(["", "5", "9", "40"]),
        }
        lines.append("\t".join(cells[name] for name in (columns[:3] if bed else columns)))
    return ("\n".join(lines) + "\n").encode()


def _new_evidence_table(rng: Random) -> bytes:
    residues = rng.sample(RESIDUES, rng.randrange(1, 21))
    wide = rng.random() < 0.5
    delimiter = rng.choice("\t\t,;")
    header = ["chain", "position", *residues] if wide else EVIDENCE.split()
    lines = [delimiter.join(header)]
    for _ in range(rng.randrange(1, 8)):
        start = [rng.choice(["a", "b", "=d", "chain", "\u00e9"]), str(rng.randrange(1, 40))]
        if wide:
            cells = [rng.choice(["", "0", ".1", "0.05", "1e-3"]) for _ in residues]
        else:
            cells = [rng.choice(RESIDUES), f"{rng.random():.2f}"]
        lines.append(delimiter.join([*start, *cells]))
    return ("\n".join(lines) + "\n").encode()


def _new_notation(rng: Random) -> bytes:
    return _some_sequence(rng, TAGS).encode()


def _new_truth(rng: Random) -> bytes:
    chains, true = "", ""
    for name in "abc"[: rng.randrange(1, 4)]:
        whole = random_protein(rng.randrange(8, 50), rng.randrange(99))
        at = sorted(rng.sample(range(len(whole)), 4))
        gap = rng.choice(("-" * (at[1] - at[0]), "X[+367.0537]", "{420 Da}", "J"))
        other = "X" * (at[3] - at[2])
        chains += f">{name}\n{whole[: at[0]]}{gap}{whole[at[1] : at[2]]}{other}{whole[at[3] :]}\n"
        true += f">{name}\n{whole}\n"
    return chains.encode() + PARTED + true.encode()


def _new_chains(rng: Random) -> bytes:
    """Chains of every kind, and pieces of them, with gaps of every kind."""
    text = ""
    for name in "abc"[: rng.randrange(1, 4)]:
        locus, seed = rng.choice("HKL"), rng.randrange(4)
        species = rng.choice(("human", "human", "mouse", "rabbit"))
        whole = germline_chain(locus, seed, species=species, constant=rng.random() < 0.5)
        whole = mutated(whole, rng.randrange(9), seed)
        if rng.random() < 0.4:
            start = rng.randrange(len(whole) - 12)
            whole = whole[start : start + rng.randrange(12, 140)]
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(whole))
            width = rng.randrange(9)
            gap = rng.choice(("-" * width, "X[+367.0537]", "{420 Da}", "J", "X[+60.5]"))
            whole = whole[:at] + gap + whole[at + width :]
        text += f">{name}\n{whole}\n"
    return text.encode()


def _new_fill(rng: Random) -> bytes:
    data = _new_chains(rng)
    if rng.random() < 0.3:
        start = rng.randrange(90)
        mass = rng.choice(("", "367.0537", "711.36", "60.5"))
        row = f"a\t{start}\t{start + rng.randrange(6)}\t{mass}\t{rng.choice(('', '0', '2'))}\t9\n"
        data += PARTED + b"chain\tstart\tend\tmass\tmin_length\tmax_length\n" + row.encode()
    if rng.random() < 0.3:
        data += PARTED * (1 if PARTED in data else 2) + _new_chains(rng)
    return data


def _new_reads(rng: Random) -> bytes:
    header, row = rng.choice(READ_TABLES)
    lines = [header] if header else []
    for _ in range(rng.randrange(1, 5)):
        residues = list(random_protein(rng.randrange(1, 12), rng.randrange(99)))
        n = len(residues) + rng.choice((0, 0, 0, 1, -1))
        shares = [f"{rng.random():.3f}" for _ in range(n)]
        if rng.random() < 0.5:
            residues[rng.randrange(len(residues))] += rng.choice(READ_TAGS)
        cells = {
            "peptide": "".join(residues),
            "commas": ",".join(residues),
            "blank": " ".join(shares),
            "list": ",".join(shares),
            "percent": " ".join(f"{100 * float(share):.0f}" for share in shares),
            "dashes": "-".join(f"{100 * float(share):.0f}" for share in shares),
            "logs": ", ".join(f"-{share}" for share in shares),
            "number": rng.choice(("0.9", "400.25", "-0.5", *NUMBERS)),
        }
        lines.append(row.format(**cells))
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def _new_sheet(rng: Random) -> bytes:
    columns = ["sample", "fasta", *rng.sample(SHEET.split()[2:6], rng.randrange(5))]
    cells = {"fasta": "a.fasta", "gaps": "gaps.tsv", "species": "human"}
    lines = ["\t".join(columns)]
    for i in range(rng.randrange(1, 4)):
        row = {**cells, "sample": f"s{i}"}
        lines.append("\t".join(row.get(name, "b.fasta") for name in columns))
    return ("\n".join(lines) + "\n").encode()


def _new_config(rng: Random) -> bytes:
    lines = ["samples: a.tsv"]
    for name in rng.sample([*SECTIONS, *SETTINGS], rng.randrange(1, 6)):
        value = rng.choice(VALUES if rng.random() < 0.7 else NUMBERS)
        if name in SECTIONS:
            value = f"{{{rng.choice(SETTINGS)}: {value}}}"
        lines.append(f"{name}: {value}")
    return ("\n".join(lines) + "\n").encode()


def _new_library(rng: Random) -> bytes:
    names = "v v_locus v_gene v_prior j j_locus j_gene j_prior v_profile j_profile".split()
    changes: list[list[object]] = []
    for _ in range(rng.randrange(1, 3)):
        name, index = rng.choice(names), rng.randrange(-2, 300)
        kinds: tuple[list[object], ...] = (
            ["drop", name],
            ["dtype", name, rng.choice(("float16", "bool", "int64", "float64", "uint8", "int8"))],
            ["cut", name, index],
            ["shape", name, [rng.randrange(4), rng.randrange(4)]],
            ["set", name, index, rng.choice((float("nan"), -1, 255, 1e30, float("inf"), 1000, -2))],
            ["swap", name, rng.choice(names)],
        )
        changes.append(rng.choice(kinds))
    return json.dumps(changes).encode()


FRESH: dict[str, Callable[[Random], bytes]] = {
    "fasta": _new_fasta,
    "gap_table": _new_gap_table,
    "evidence_table": _new_evidence_table,
    "notation": _new_notation,
    "reads": _new_reads,
    "truth": _new_truth,
    "homologs": _new_chains,
    "sheet": _new_sheet,
    "config": _new_config,
    "library": _new_library,
    "fill": _new_fill,
}


# --- changes of safetensors ----------------------------------------------------------------------


def _changed_tensors(rng: Random, data: bytes) -> bytes:
    """Change metadata, header or numbers of a safetensors file, mostly one without a digest."""
    try:
        size = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + size])
        metadata = header["__metadata__"]
        settings = json.loads(metadata["model"])
        body = bytearray(data[8 + size :])
        names = [name for name in header if name != "__metadata__"]
        if not (names and len(body) > 4 and isinstance(settings, dict)):
            raise ValueError
    except (struct.error, ValueError, KeyError, TypeError):
        return _bytes(rng, "weights", data)
    if rng.random() < 0.9:
        metadata.pop("sha256", None)
    values = [0, -1, 1, 2, 3, 10**7, 10**12, 1.5, None, "2", True, [2], float("nan"), 10**30]
    match rng.randrange(8):
        case 0 | 1 | 2:
            inner = settings.get("transformer")
            sizes = rng.choice([settings, inner]) if isinstance(inner, dict) else settings
            sizes[rng.choice([*sizes, "more"])] = rng.choice(values)
            metadata["model"] = json.dumps(settings)
        case 3:
            name = rng.choice([*metadata, "more"])
            metadata[name] = rng.choice(["", "[]", "{", "null", "x"])
        case 4:
            del metadata[rng.choice(sorted(metadata))]
        case 5:
            tensor, words = header[rng.choice(names)], ["F16", "I32", [2], [0, 8], [], None, "F32"]
            tensor[rng.choice(sorted(tensor))] = rng.choice(words)
        case 6:
            at = rng.randrange(len(body) // 4) * 4
            number = rng.choice((float("nan"), float("inf"), 3e38, 0.0))
            body[at : at + 4] = struct.pack("<f", number)
        case _:
            return _bytes(rng, "weights", data)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(body)
