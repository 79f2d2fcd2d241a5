# Both stages name one exact version; docs/install.md says how to add its digest.
FROM python:3.13.9-slim-trixie AS build
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv --without-pip /opt/unanswered \
    && pip --python /opt/unanswered/bin/python install --no-cache-dir --no-deps --only-binary :all: --require-hashes -r requirements.lock
# Laid out as in the wheel: the package, and the migrations inside it.
COPY app ./app
COPY migrations ./app/_migrations
RUN site="$(/opt/unanswered/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && cp -R app "$site/app" \
    && /opt/unanswered/bin/python -m compileall -q "$site/app" \
    && printf '#!%s\nimport sys\nfrom app.cli import main\nsys.exit(main())\n' /opt/unanswered/bin/python > /opt/unanswered/bin/unanswered \
    && chmod 0755 /opt/unanswered/bin/unanswered

FROM python:3.13.9-slim-trixie
LABEL org.opencontainers.image.title="Unanswered" \
      org.opencontainers.image.description="The list of everybody on social media who still waits for your answer." \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --system --gid 10001 unanswered \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /data unanswered \
    && install -d -o 10001 -g 10001 -m 0700 /data \
    && pip uninstall --yes --no-cache-dir pip
COPY --from=build /opt/unanswered /opt/unanswered
ENV PATH="/opt/unanswered/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    UNANSWERED_DATA_DIR=/data \
    UNANSWERED_DEMO=false
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["unanswered"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
