# syntax=docker/dockerfile:1
# One image for web, worker and migrations: what a process may do depends on its role and secrets, not on its image.
# Targets: portal (the default), portal-kerberos (workers that sign in with a keytab), simulator (rehearsal).
# For a build that can be repeated name the base by digest: --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:…
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# --- packages: each from the lock file, each with its hash -----------------------------------
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/sss-portal
RUN python -m venv .venv
COPY requirements.txt ./
RUN .venv/bin/python -m pip install --require-hashes --only-binary :all: -r requirements.txt

FROM packages AS packages-simulator
COPY simulator/requirements.txt ./simulator-requirements.txt
RUN .venv/bin/python -m pip install --require-hashes --only-binary :all: -r simulator-requirements.txt

# gssapi and krb5 come as source; the compiler stays in this stage.
FROM packages AS packages-kerberos
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev libkrb5-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements-kerberos.txt ./
RUN .venv/bin/python -m pip install --require-hashes -r requirements-kerberos.txt

# --- portal ----------------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS portal-files
ENV PATH=/opt/sss-portal/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/sss-portal
# Files belong to root: the portal can change neither its code nor its packages.
RUN groupadd --system --gid 10001 sss-portal \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent sss-portal
COPY manage.py ./
COPY portal ./portal
COPY sync_setup ./sync_setup
COPY mailboxes ./mailboxes
COPY templates ./templates
COPY static ./static

FROM portal-files AS portal-base
COPY --from=packages /opt/sss-portal/.venv ./.venv
# The key of this line signs nothing: collectstatic only needs settings that can be read.
RUN python -m compileall -q portal sync_setup mailboxes \
    && SECRET_KEY=only-for-this-line python manage.py collectstatic --noinput --verbosity 0
USER 10001:10001

FROM portal-base AS portal-kerberos
USER 0:0
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgssapi-krb5-2 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=packages-kerberos /opt/sss-portal/.venv ./.venv
USER 10001:10001

FROM portal-base AS simulator
USER 0:0
COPY --from=packages-simulator /opt/sss-portal/.venv ./.venv
COPY simulator ./simulator
RUN python -m compileall -q simulator \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/sss-portal
USER 10001:10001

FROM portal-base AS portal
EXPOSE 8000
