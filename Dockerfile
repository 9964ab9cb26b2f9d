# The platform as docker-compose.yml runs it: installed by the same commands as on a laptop.
FROM python:3.12-slim

ARG MESH_UID=1000
RUN useradd --uid "${MESH_UID}" --create-home mesh \
 && install -d -o mesh -g mesh -m 700 /var/lib/mesh

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1

WORKDIR /opt/mesh

# Pinned dependencies first: this layer changes only when they do.
COPY requirements/build.txt requirements/run.txt requirements/
RUN pip install --require-hashes -r requirements/build.txt \
 && pip install --require-hashes -r requirements/run.txt

COPY pyproject.toml README.md LICENSE ./
COPY mesh mesh
COPY platform platform
COPY contracts contracts
COPY domains domains
RUN pip install --no-deps --no-build-isolation .

USER mesh
WORKDIR /var/lib/mesh
EXPOSE 8080

CMD ["mesh", "--help"]
