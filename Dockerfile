# Lacuna with all that a run needs (docs/how-to/cluster.md, "In a container").
FROM python:3.12-slim

# torch for Linux brings 2.9 GB of CUDA packages with it, unless pip finds the build for processors:
# PyTorch's page on its installation gives the address of these.
ARG PIP_EXTRA_INDEX_URL=

WORKDIR /opt/lacuna
COPY requirements.txt ./
# Not the tools of tests and checks, which are the last part of the file.
RUN sed '/^# --- tests and checks/,$d' requirements.txt > /tmp/runtime.txt \
    && pip install --no-cache-dir -r /tmp/runtime.txt \
    && rm /tmp/runtime.txt
COPY Snakefile config.yaml LICENSE ./
COPY envs envs
COPY workflow workflow
COPY resources resources

# Any user may run it: Snakemake's caches go where everyone may write.
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
WORKDIR /work
ENTRYPOINT ["snakemake", "--snakefile", "/opt/lacuna/Snakefile"]
CMD ["--help"]
