"""Training of both networks, once for the bundled weights (the target `pretrain`) or within a run.

- `settings.py`: the `pretrain` section of a configuration; `corpora.py`, `chains.py`: natural
  chains; `simulate.py`: simulated ones; `germline_use.py`: the germline library.
- `encode.py`: all of it as one file, with `constant_regions.py`; `run_data.py`: such a file of the
  homologs of a run.
- `batches.py`, `masking.py`: batches from that file, with gaps; `trainer.py`, `checkpoint.py`: one
  training, step by step; `run.py`: on any number of devices, from start to end;
  `temperatures.py`: what is fitted at its end.
- `antiberty.py`: the weights that the large network begins with; `licences.py`: whether weights may
  be called open.
"""
