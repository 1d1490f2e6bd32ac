# Twin API in a container: server and worker, and for a first look the private cluster too. Keep /var/lib/twin on a volume.
# Serving a town: TWIN_DATABASE_URL or TWIN_SERVER point to PostgreSQL, one container (so one OS user) per role: `serve --roles citizen`.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/twin-api
COPY constraints/run.txt constraints/run.txt
RUN python3 -m venv /opt/twin && /opt/twin/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r constraints/run.txt
COPY pyproject.toml README.md ./
COPY twin_api twin_api
COPY alembic alembic
COPY policies policies
RUN /opt/twin/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e .

FROM debian:bookworm-slim
RUN mkdir -p /etc/postgresql-common/createcluster.d \
 && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/twin-api.conf \
 && apt-get update \
 && apt-get install -y --no-install-recommends python3 postgresql-15 postgresql-15-postgis-3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --user-group --home-dir /var/lib/twin --create-home twin
COPY --from=build /opt/twin /opt/twin
COPY --from=build /opt/twin-api /opt/twin-api
WORKDIR /opt/twin-api
ENV PATH=/opt/twin/bin:/usr/local/bin:/usr/bin:/bin TWIN_HOME=/var/lib/twin PORT=8000
USER twin
VOLUME /var/lib/twin
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
  CMD python3 -c "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"
ENTRYPOINT ["twin"]
CMD ["demo", "--host", "0.0.0.0"]
