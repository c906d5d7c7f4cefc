"""A protein that is not an antibody: carbonic anhydrase 2 from its relatives 1 and 3.

Sequences are UniProt P00918, P00915 and P07451. Gaps are written as in top-down scaffolds: an
integer mass in Da and no length.
"""

from pathlib import Path

import numpy as np

import bundled
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import RESIDUES
from lacuna.filling.fill import Tables, fill_chains
from lacuna.filling.lengths.unknown import resolve_lengths
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES, Modifications
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.templates.homologs import index_homologs

CA2 = (
    "MSHHWGYGKHNGPEHWHKDFPIAKGERQSPVDIDTHTAKYDPSLKPLSVSYDQATSLRILNNGHAFNVEFDDSQDKAVLKGGPLDGTYRL"
    "IQFHFHWGSLDGQGSEHTVDKKKYAAELHLVHWNTKYGDFGKAVQQPDGLAVLGIFLKVGSAKPGLQKVVDVLDSIKTKGKSADFTNFDP"
    "RGLLPESLDYWTYPGSLTTPPLLECVTWIVLKEPISVSSEQVLKFRKLNFNGEGEPEELMVDNWRPAQPLKNRQIKASFK"
)
CA1 = (
    "MASPDWGYDDKNGPEQWSKLYPIANGNNQSPVDIKTSETKHDTSLKPISVSYNPATAKEIINVGHSFHVNFEDNDNRSVLKGGPFSDSYR"
    "LFQFHFHWGSTNEHGSEHTVDGVKYSAELHVAHWNSAKYSSLAEAASKADGLAVIGVLMKVGEANPKLQKVLDALQAIKTKGKRAPFTNF"
    "DPSTLLPSSLDFWTYPGSLTHPPLYESVTWIICKESISVSSEQLAQFRSLLSNVEGDNAVPMQHNNRPTQPLKGRTVRASF"
)
CA3 = (
    "MAKEWGYASHNGPDHWHELFPNAKGENQSPVELHTKDIRHDPSLQPWSVSYDGGSAKTILNNGKTCRVVFDDTYDRSMLRGGPLPGPYRL"
    "RQFHLHWGSSDDHGSEHTVDGVKYAAELHLVHWNPKYNTFKEALKQRDGIAVIGIFLKIGHENGEFQIFLDALDKIKTKGKEAPFTKFDP"
    "SCLFPACRDYWTYQGSFTTPPCEECIVWLLLKEPMTVSSDQMAKLRSLLSSAENEPPVPLVSNWRPPQPINNRVVRASFK"
)
GAPS = ((20, 24), (60, 65), (95, 101), (140, 143))


def test_a_scaffold_with_integer_masses_is_filled_from_its_homologs(tmp_path: Path) -> None:
    text, done = "", 0
    masses = dict(zip("ACDEFGHIKLMNPQRSTVWY", RESIDUE_MASSES, strict=True))
    for start, end in GAPS:
        mass = int(sum(masses[r] for r in CA2[start:end]))
        text += CA2[done:start] + f"{{{mass} Da}}"
        done = end
    fasta, truth = tmp_path / "scaffold.fasta", tmp_path / "truth.fasta"
    fasta.write_text(f">ca2\n{text}{CA2[done:]}\n")
    truth.write_text(f">ca2\n{CA2}\n")
    (scaffold,) = read_scaffolds(fasta, None, truth)
    assert isinstance(scaffold, Scaffold)
    assert [g.truth for g in scaffold.gaps] == [CA2[s:e] for s, e in GAPS]
    assert number_chain(scaffold.sequence).locus == ""

    reader = bundled.reader(index_homologs([CA1, CA3]))
    (settled,) = resolve_lengths([scaffold], Modifications(), reader)
    assert [g.end - g.start for g in settled.gaps] == [e - s for s, e in GAPS]

    kmers = reader.encoder.encode([settled])
    predict = reader.predictor.predict
    np.testing.assert_allclose(predict(kmers).sum(1), 1.0)
    tables = Tables(fill_chains([settled], kmers, reader.encoder, predict, candidates=5))
    _, filled = tables.texts["filled"].getvalue().splitlines()
    right = [a == b for a, b in zip(filled, CA2, strict=True)]
    hidden = {i for start, end in GAPS for i in range(start, end)}
    assert all(ok for i, ok in enumerate(right) if i not in hidden)
    # Relatives with 60 % identity have more than half of the hidden residues.
    assert sum(right[i] for i in hidden) > len(hidden) / 2
    for row in tables.texts["gaps"].getvalue().splitlines():
        start, mass = int(row.split("\t")[2]), float(row.split("\t")[8])
        gap = next(g for g in scaffold.gaps if g.start == start)
        assert gap.mass is not None and abs(mass - gap.mass) <= 0.5


def test_its_probabilities_are_as_sure_as_its_homolog_is_near(tmp_path: Path) -> None:
    fasta = tmp_path / "chains.fasta"
    with fasta.open("w") as handle:
        for shift in range(0, 16, 4):
            letters = ("X" if (i + shift) % 16 < 4 else r for i, r in enumerate(CA2[10:250]))
            handle.write(f">ca2_{shift}\n{CA2[:10]}{''.join(letters)}{CA2[250:]}\n")
    chains = [chain for chain in read_scaffolds(fasta) if isinstance(chain, Scaffold)]
    reader = bundled.reader(index_homologs([CA3]))
    kmers = reader.encoder.encode(chains)
    predicted = reader.predictor.predict(kmers)
    truth = np.array([RESIDUES.index(CA2[position]) for position in kmers.at().position])
    right = float((predicted.argmax(1) == truth).mean())
    assert len(truth) == 240 and abs(float(predicted.max(1).mean()) - right) < 0.08
