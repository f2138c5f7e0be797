# tfevents as a pipeline stage: `tfevents plugin` reads its settings from PLUGIN_* environment variables.
#
#   docker build --build-arg PROVISIONER_IMAGE=hashicorp/terraform:1.11.4 \
#                --build-arg PROVISIONER=/bin/terraform -t tfevents .
#   docker build --build-arg PROVISIONER_IMAGE=ghcr.io/opentofu/opentofu:1.9.0-minimal \
#                --build-arg PROVISIONER=/usr/local/bin/tofu -t tfevents .
#
# To use a binary of your own, mount it as /opt/provisioner/terraform (or tofu).
ARG PROVISIONER_IMAGE=hashicorp/terraform:1.11.4@sha256:5820b87995595425074f881500a037b0ccd41158d0d9b44d78f5f120612f2d3d
ARG PYTHON_IMAGE=python:3.12.11-slim-bookworm@sha256:519591d6871b7bc437060736b9f7456b8731f1499a57e22e6c285135ae657bf7
FROM ${PROVISIONER_IMAGE} AS provisioner

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements.txt setup.cfg pyproject.toml README.md LICENSE ./
COPY tfevents tfevents
# only packages with a hash in requirements.txt are installed; CONTRIBUTING.md says how to generate the file
RUN python -m venv /opt/tfevents \
 && /opt/tfevents/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
 && /opt/tfevents/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
 && /opt/tfevents/bin/pip uninstall --yes --quiet setuptools \
 # python-hcl2 compiles its grammar on first use and caches it in its own directory: done here, it saves each run seconds
 && /opt/tfevents/bin/python -c "from tfevents.readers.hcl.expressions import parse_hcl; parse_hcl('a = 1', 'warm')" \
 && /opt/tfevents/bin/python -m compileall -q /opt/tfevents

FROM ${PYTHON_IMAGE}
RUN apt-get update \
 && apt-get install --yes --no-install-recommends git ca-certificates openssh-client \
 && rm -rf /var/lib/apt/lists/*
ARG PROVISIONER=/bin/terraform
COPY --from=build /opt/tfevents /opt/tfevents
COPY --from=provisioner ${PROVISIONER} /opt/provisioner/
ENV PATH=/opt/tfevents/bin:/opt/provisioner:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PLUGIN_HOME=/tmp/tfevents
USER 65532:65532
WORKDIR /harness
ENTRYPOINT ["tfevents", "plugin"]
