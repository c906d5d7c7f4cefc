"""The stages of a run that `benchmark_scale` measures, and their rules, each with a script of its
name.

Nothing is imported here, since the rules read it too.
"""

STAGES = {
    "read": ("read_scaffolds", "find_alkylation"),
    "k-mers": ("write_kmers",),
    "fill": ("fill_gaps",),
    "join": ("join_blocks",),
    "report": ("measure_accuracy", "join_accuracy", "write_report"),
}
