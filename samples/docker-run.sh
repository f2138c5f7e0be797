#!/bin/sh
# Runs tfevents with docker on any machine: as the current user, with a read-only root file system, and with the
# journal in a directory that is kept after the container has ended.
set -eu
docker run --rm --init=false --read-only --tmpfs /tmp \
    --user "$(id -u):$(id -g)" \
    --volume "$PWD:/harness" \
    --volume "${TFEVENTS_JOURNAL:?name a directory of yours for the journal}:/journal" --env PLUGIN_HOME=/journal \
    --env PLUGIN_COMMAND="${1:-plan}" \
    --env PLUGIN_ORG=default --env PLUGIN_PROJECT=infra --env PLUGIN_WORKSPACE=prod_network \
    --env PLUGIN_API_KEY \
    registry.example/tfevents:0.1.0
