#!/usr/bin/env bash
# Trains the default model on the shards that the chain before it made (build.sh), in two stages: both towers from
# scratch, then the captions alone against the finished image tower. Stops and goes on as often as need be: the state is
# saved every 300 steps, and the same command resumes. The result is LOGS/default, the weights to ship its `ema` folder.
#   WORKDIR=build/default_model tools/default_model/train.sh [more openclip-train flags for both stages]
#
# Learning rate, loss weights and the width were chosen on a left-out training artist (Twemoji), never on
# the held-out sources; docs/default_model.md has the figures.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${WORKDIR:-build/default_model}
trainer=${OPENCLIP_TRAIN:-build/openclip-train}
shards=$work/shards/train

# The unrestyled pictures are listed twice: openclipart, Sweet Home 3D and the flags have no vector variants.
common=(
  --train-data "$shards/plain-*.tar::$shards/plain-*.tar::$shards/views-*.tar::$shards/restyled-*.tar::$shards/generated-*.tar"
  --model "$here/model.json" --tokenizer "$work/tokenizer" --cache-decoded 4G
  --json-text-key en,zh --json-text-key-probs 0.5,0.5 --label-key concept --aug-cfg style=0.65
  --image-resize-mode longest --image-fill 255
  --wd 0.1 --beta2 0.98 --eps 1e-6 --precision fp32 --workers 1 --seed 1
  --save-every-n-steps 300 --log-every-n-steps 25 --report-to tensorboard --logs "$work/logs")

# run NAME FLAGS…: starts or resumes one stage; nothing to do where its last epoch is there.
run() {
  local name=$1 last=$2 resume=()
  shift 2
  local checkpoints=$work/logs/$name/checkpoints
  [ -e "$checkpoints/epoch_$last" ] && return
  [ -e "$checkpoints" ] && resume=(--resume latest)
  "$trainer" "${common[@]}" --name "$name" --epochs "$last" --save-frequency 1 "${resume[@]}" "$@"
  [ -e "$checkpoints/epoch_$last" ] || exit 1  # stopped by a signal, its state saved
}

run towers 8 --batch-size 128 --lr 2e-3 --warmup 150 --ema 0.998 \
  --concept-table 1 --concept-align 4 --hog-distill 4 "$@"

# A picture has 1,752 names to choose from at the end, but met only 128 captions at a time so far.
run default 3 --batch-size 512 --lr 1e-3 --warmup 30 --ema 0.98 --first-caption-prob 0.8 --extra-texts 2 \
  --pretrained "$work/logs/towers/checkpoints/epoch_8/ema/open_clip_model.safetensors" \
  --lock-image --lock-image-freeze-bn-stats "$@"
