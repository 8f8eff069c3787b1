# The writer to copy into a training script. It needs bash and coreutils.
# Usage: write_metrics FILE JOB_ID NAME=NUMBER...
# Example: write_metrics /shared/metrics/current.json my-job epoch=3 batch_number=45 training_loss=1.2345
# A failure is printed once and never stops the script, not even under `set -e`.
write_metrics() {
  local file=$1 job=$2 fields='' pair problem
  shift 2
  job=${job//\\/\\\\}
  job=${job//\"/\\\"}
  for pair in "$@"; do fields+="${fields:+, }\"${pair%%=*}\": ${pair#*=}"; done
  if ! problem=$(replace_metrics "$file" "{\"job_metadata\": {\"job_id\": \"$job\"}, \"training_metrics\": {$fields}}" 2>&1); then
    [[ -n ${metrics_problem_reported-} ]] || echo "Metrics were not written: $problem" >&2
    metrics_problem_reported=yes
  fi
}

replace_metrics() {
  # In the same folder, because a rename is atomic only within one file system.
  local temporary
  temporary="$(dirname "$1")/.$(basename "$1").$$.tmp"
  # The bridge usually runs as another user, which must be able to read the file.
  mkdir -p "$(dirname "$1")" && printf '%s\n' "$2" >"$temporary" && chmod 0644 "$temporary" && mv -f "$temporary" "$1"
}
