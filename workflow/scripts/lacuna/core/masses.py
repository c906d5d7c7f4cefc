"""Masses in Da that several packages need, and those of chains.

Those of residues, sugars and water are pyteomics's. They are written down, since every job needs
them and pyteomics takes half a second to import; `tests/unit/core/test_masses.py` compares them.
"""

PROTON = 1.007276466621  # CODATA 2022
WATER = 18.0105646837
AVERAGE_WATER = 18.015286434921986
ISOTOPE = 1.0033548  # 13C less 12C
OXIDATION = 15.994915  # Unimod 35
DEAMIDATION = 0.984016  # Unimod 7
CARBAMIDOMETHYL = 57.021464  # Unimod 4
CARBAMYL = 43.005814  # Unimod 5
METHYL = 14.01565  # Unimod 34
ACETYL = 42.010565  # Unimod 1
PHOSPHO = 79.966331  # Unimod 21
SODIUM = 21.981943  # Unimod 30, in place of a proton
CARBOXYMETHYL = 58.005479  # Unimod 6
PROPIONAMIDE = 71.037114  # Unimod 24
METHYLTHIO = 45.987721  # Unimod 39
PYRIDYLETHYL = 105.057849  # Unimod 31
NEM = 125.047679  # Unimod 108
DIOXIDATION = 31.989829  # Unimod 425
CYSTEINYL = 119.004099  # Unimod 312
HEXOSE = 162.052824  # Unimod 41
AMMONIA = 17.026549  # Unimod 385 is its loss
CARBON_MONOXIDE = 27.994915  # as Unimod 122, a formyl group
HYDROGEN = 1.00782503  # the atom
DISULFIDE = 2.0156500638  # two hydrogens, which a bond between two C's lacks
# The mean residue of proteins (averagine, Senko et al. 1995, 10.1016/1044-0305(95)00017-8), whose
# average mass is 111.1254 Da.
AVERAGINE = 111.0543
# Average over monoisotopic mass: of averagine, and of groups on residues, of which no more is known
# than their monoisotopic mass.
AVERAGINE_RATIO = 1.00064
GROUP_RATIO = 1.0005  # of acetyl 1.0006, carbamidomethyl 1.0005, hexose 1.0005, oxygen 1.0003

# Of sugars within a glycan: monoisotopic, average (Unimod 43, 41 and 295).
SUGARS = {
    "HexNAc": (203.07937251951, 203.19284482222488),
    "Hex": (162.0528234185, 162.1408475551967),
    "Fuc": (146.05790879894, 146.14144262806622),
}
# The common glycans at N297 of IgG, with no, one and two galactoses on a fucosylated biantennary
# core: Vidarsson, Dekkers, Rispens 2014, Front Immunol 5:520.
GLYCANS = {
    "G0F": {"HexNAc": 4, "Hex": 3, "Fuc": 1},
    "G1F": {"HexNAc": 4, "Hex": 4, "Fuc": 1},
    "G2F": {"HexNAc": 4, "Hex": 5, "Fuc": 1},
}

# Masses of peptides lie close to those of so many neutrons, in about a quarter of each dalton.
CROWDING = 4.0
DENSITY = CROWDING / 3000.0  # per Da, of a peptide taken at random, at such a mass

# Of residues within a chain.
MONOISOTOPIC = {
    "A": 71.03711378471,
    "C": 103.00918478471,
    "D": 115.02694302383001,
    "E": 129.04259308796998,
    "F": 147.06841391298997,
    "G": 57.02146372057,
    "H": 137.05891185845002,
    "I": 113.08406397713001,
    "K": 128.09496301399997,
    "L": 113.08406397713001,
    "M": 131.04048491299,
    "N": 114.04292744114001,
    "P": 97.05276384885,
    "Q": 128.05857750527997,
    "R": 156.10111102359997,
    "S": 87.03202840427001,
    "T": 101.04767846841,
    "V": 99.06841391299,
    "W": 186.07931294985997,
    "Y": 163.06332853254997,
    "J": 113.08406397713001,  # I or L
    "O": 237.14772686284996,  # pyrrolysine
    "U": 150.95363508471,  # selenocysteine
}
AVERAGE = {
    "A": 71.07801959871462,
    "C": 103.1428068336406,
    "D": 115.08756534974,
    "E": 129.114182754296,
    "F": 147.17419799488442,
    "G": 57.05140219415864,
    "H": 137.13951522042348,
    "I": 113.15787181238252,
    "K": 128.1725157780903,
    "L": 113.15787181238252,
    "M": 131.19604164275256,
    "N": 114.10280438831728,
    "P": 97.11537290003506,
    "Q": 128.12942179287325,
    "R": 156.18592220171425,
    "S": 87.07742452584509,
    "T": 101.10404193040105,
    "V": 99.13125440782656,
    "W": 186.21031375412107,
    "Y": 163.17360292201488,
}


def glycan_masses(name: str) -> tuple[float, float]:
    """Monoisotopic and average mass in Da that a glycan of GLYCANS adds to its N."""
    sugars = [(n, *SUGARS[sugar]) for sugar, n in GLYCANS[name].items()]
    return sum(n * mass for n, mass, _ in sugars), sum(n * mean for n, _, mean in sugars)


def chain_masses(sequence: str) -> tuple[float, float]:
    """Monoisotopic and average mass of a chain: its residues and water; X is left out."""
    monoisotopic, average = WATER, AVERAGE_WATER
    for letter, mean in AVERAGE.items():
        n = sequence.count(letter)
        monoisotopic += n * MONOISOTOPIC[letter]
        average += n * mean
    return monoisotopic, average
