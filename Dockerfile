# The images of Twin API; each process needs one of them and no more.
#   citizen  a server for citizens: can read one schema; holds no policies, no importer, no migrations, no command
#   store    PostgreSQL 15 with PostGIS
#   full     server for every role, worker, commands
#   demo     (without a word) a first look: the sample town with a private database; keep /var/lib/twin on a volume
# compose.yaml puts the first three together. Versions and hashes of everything in Python are pinned in constraints/.

FROM debian:bookworm-slim AS python
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 twin \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/twin --no-create-home --shell /usr/sbin/nologin twin \
 && install -d -o twin -g twin -m 0700 /var/lib/twin /var/lib/twin/secrets /run/twin /run/twin/administrator /run/twin/all /run/twin/citizen \
 && install -d -o twin -g twin /town
ENV PATH=/opt/twin/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

FROM python AS build
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY bin/setup bin/setup
COPY constraints/run.txt constraints/serve.txt constraints/
COPY pyproject.toml README.md LICENSE ./
COPY twin_api twin_api
COPY alembic alembic
COPY policies policies
RUN PYTHONDONTWRITEBYTECODE='' bin/setup install /opt/twin

FROM build AS build-citizen
RUN rm -rf /opt/twin && PYTHONDONTWRITEBYTECODE='' bin/setup serve /opt/twin

FROM debian:bookworm-slim AS postgis
# hadolint ignore=DL3008
RUN mkdir -p /etc/postgresql-common/createcluster.d \
 && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/twin-api.conf \
 && apt-get update \
 && apt-get install -y --no-install-recommends postgresql-15 postgresql-15-postgis-3 \
 && rm -rf /var/lib/apt/lists/*

FROM python AS citizen
LABEL org.opencontainers.image.title="Twin API: citizens" \
      org.opencontainers.image.description="Serves the citizens' twin, and cannot read another" \
      org.opencontainers.image.licenses="EUPL-1.2"
COPY --from=build-citizen /opt/twin /opt/twin
# hadolint ignore=DL3064  # where the secret lies, not the secret
ENV TWIN_ROLES=citizen TWIN_SECRETS=/run/twin/citizen TWIN_SERVER="host=store dbname=twin"
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["python", "-m", "twin_api.door.listening"]
CMD ["0.0.0.0", "8000", "1"]

FROM postgis AS store
LABEL org.opencontainers.image.title="Twin API: store" \
      org.opencontainers.image.description="PostgreSQL 15 with PostGIS, every login with scram, no row's value in its log" \
      org.opencontainers.image.licenses="EUPL-1.2"
COPY deploy/store/ /opt/store/
RUN groupadd --gid 10001 twin \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/store --no-create-home --shell /usr/sbin/nologin twin \
 && install -d -o twin -g twin -m 0700 /var/lib/store /run/twin /run/twin/administrator
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin
USER 10001:10001
WORKDIR /tmp
VOLUME /var/lib/store
EXPOSE 5432
STOPSIGNAL SIGINT
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s CMD ["pg_isready", "--quiet", "--host", "127.0.0.1"]
ENTRYPOINT ["/opt/store/start"]

FROM python AS full
LABEL org.opencontainers.image.title="Twin API" \
      org.opencontainers.image.description="One store, three provably separate twins of a town" \
      org.opencontainers.image.licenses="EUPL-1.2"
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends proj-data && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/twin /opt/twin
COPY deploy/settle /usr/local/bin/twin-settle
ENV TWIN_HOME=/var/lib/twin
USER 10001:10001
WORKDIR /town
EXPOSE 8000
ENTRYPOINT ["twin"]
CMD ["--help"]

FROM postgis AS demo
LABEL org.opencontainers.image.title="Twin API: a first look" \
      org.opencontainers.image.description="The sample town Musterdorf with a private database" \
      org.opencontainers.image.licenses="EUPL-1.2"
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends proj-data python3 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 twin \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/twin --create-home twin
COPY --from=build /opt/twin /opt/twin
ENV PATH=/opt/twin/bin:/usr/local/bin:/usr/bin:/bin TWIN_HOME=/var/lib/twin PORT=8000
USER 10001:10001
WORKDIR /var/lib/twin
VOLUME /var/lib/twin
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
  CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["twin"]
CMD ["demo", "--host", "0.0.0.0"]
