# One image for every process of the ledger: `init`, and `run decider`, `reactions`, `projector`. With
# `--build-arg PACKAGES=console` it also has what `serve` imports.
# What builds the program stays in the first stage; the image has the program and what it imports.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
ENV PIP_NO_CACHE_DIR=1
WORKDIR /build
ARG PACKAGES=image
COPY tools/build.txt tools/image.txt tools/console.txt ./
RUN python -m venv /opt/tools && python -m venv --without-pip /opt/refunds
RUN /opt/tools/bin/python -m pip install --quiet --no-deps --require-hashes -r build.txt
RUN /opt/tools/bin/python -m pip --python /opt/refunds/bin/python \
    install --quiet --no-deps --require-hashes -r ${PACKAGES}.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY schemas ./schemas
COPY src ./src
RUN /opt/tools/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
RUN /opt/tools/bin/python -m pip --python /opt/refunds/bin/python \
    install --quiet --no-deps dist/*.whl

FROM python:3.11-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin refunds \
    && install --directory --owner=refunds --group=refunds /var/lib/refunds
COPY --from=build /opt/refunds /opt/refunds
ENV PATH=/opt/refunds/bin:$PATH
ENV REFUNDS_HOME=/var/lib/refunds
WORKDIR /var/lib/refunds
USER 10001:10001
ENTRYPOINT ["refundctl"]
CMD ["--help"]
