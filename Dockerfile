# The connector's image. Both bases are arguments, so that it also builds where the public one cannot be pulled
# (scripts/lib/slipway/lab/images.py makes local ones). Their default is the stage `debian`, whose FROM says in plain
# words what is pulled: Dependabot reads no variables there.
#
#   docker buildx build --build-arg REVISION="$(git rev-parse HEAD)" --tag m2m-connector .
ARG BUILDER_BASE=debian
ARG RUNTIME_BASE=debian

FROM debian:bookworm-slim@sha256:7b140f374b289a7c2befc338f42ebe6441b7ea838a042bbd5acbfca6ec875818 AS debian

# The compiler runs as what the machine is, also where the image is for arm64 and the machine is not.
# hadolint ignore=DL3029
FROM --platform=$BUILDPLATFORM ${BUILDER_BASE} AS toolchain
WORKDIR /source
COPY scripts/setup scripts/setup
ARG TARGETARCH
RUN if [ "$TARGETARCH" = arm64 ] && [ "$(dpkg --print-architecture)" != arm64 ]; then scripts/setup cross; \
    else scripts/setup build; fi \
 && rm -rf /var/lib/apt/lists/*

FROM toolchain AS builder
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY src src
# Everything is compiled here, under a version and a revision of nothing. What follows the ARG lines
# below compiles again the one file that names them: a second commit with the same sources costs
# seconds. .ccache-seed, which need not be there, is what ccache kept of a build outside: the same
# compiler, flags and sources give the same object, so it is taken instead of compiled again.
COPY .ccache-see[d] /ccache-seed/
RUN --mount=type=cache,id=slipway-ccache,target=/root/.cache/ccache \
    export CCACHE_BASEDIR=/source CCACHE_SLOPPINESS=locale \
      CCACHE_REMOTE_STORAGE='file:/ccache-seed|read-only' \
 && if command -v aarch64-linux-gnu-g++; then export CMAKE_TOOLCHAIN_FILE=/source/cmake/aarch64-linux-gnu.cmake; fi \
 && cmake --preset release -DSLIPWAY_BUILD_TESTS=OFF -DSLIPWAY_VERSION=0.0.0 -DSLIPWAY_REVISION=none \
 && cmake --build --preset release --target connector
COPY VERSION ./
ARG VERSION
ARG REVISION
RUN cmake --preset release -DSLIPWAY_REVISION="${REVISION:-unknown}" \
      -DSLIPWAY_VERSION="${VERSION:-$(cat VERSION)}" \
 && cmake --build --preset release --target connector
# What is compiled in, no package of the image tells: its bill lies in the image, where scanners look for one.
COPY scripts/release/sbom scripts/release/sbom
COPY scripts/lib/slipway/__init__.py scripts/lib/slipway/cli.py scripts/lib/slipway/
COPY scripts/lib/slipway/ci/__init__.py scripts/lib/slipway/ci/build_inputs.py scripts/lib/slipway/ci/report.py \
  scripts/lib/slipway/ci/
RUN scripts/release/sbom --name m2m-connector "${VERSION:-$(cat VERSION)}" build/release > connector.cdx.json \
 && "$(sed -n 's/^CMAKE_STRIP:[A-Z]*=//p' build/release/CMakeCache.txt)" --strip-unneeded build/release/bin/connector

FROM ${RUNTIME_BASE} AS runtime
# The folder is the ledger's: a volume that is mounted there takes over its owner while it is empty.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libpq5 libsqlite3-0 libssl3 \
 && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig/* \
 && install -d -m 700 -o 10001 -g 10001 /var/lib/connector

FROM runtime
COPY --from=builder /source/build/release/bin/connector /usr/local/bin/connector
COPY --from=builder /source/connector.cdx.json /usr/local/share/sbom/
USER 10001:10001
EXPOSE 4000 8080
# The executable asks itself: the image needs no shell and no curl.
HEALTHCHECK --interval=5s --timeout=2s --start-period=10s --retries=3 \
  CMD ["/usr/local/bin/connector", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/connector"]
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="m2m-connector" \
      org.opencontainers.image.description="Interledger (ILPv4) packet connector" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
