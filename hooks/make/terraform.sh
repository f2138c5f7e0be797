#!/bin/sh
# 1. Call this where you called terraform: ./terraform.sh plan -out=run.tfplan
# 2. PLAN names the plan that is made or applied: PLAN=run.tfplan ./terraform.sh apply run.tfplan
# 3. `exec tf "$@"` instead also passes on signals, which no shell does; prefer it where you can.
trap : INT # Ctrl-C reaches terraform by itself; what became of it is still to be told
tfevents hook before "$1"
terraform "$@"
code=$?
tfevents hook after "$1" --exit-code "$code" ${PLAN:+--plan-file "$PLAN"}
exit "$code"
