#!/usr/bin/env bash
# Trains the default model on the shards that the chain before it made (build.sh). Stops and goes on as
# often as need be: the state is saved every 300 steps, and the same command resumes.
#   WORKDIR=build/default_model tools/default_model/train.sh [more openclip-train flags]
#
# Learning rate, loss weights and the width were chosen on a left-out training artist (Twemoji), never on
# the held-out sources; docs/default_model.md has the figures.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${WORKDIR:-build/default_model}
trainer=${OPENCLIP_TRAIN:-build/openclip-train}
shards=$work/shards/train

resume=()
[ -e "$work/logs/default/checkpoints" ] && resume=(--resume latest)

# The unrestyled pictures are listed twice: openclipart, Sweet Home 3D and Noto have no vector variants.
exec "$trainer" \
  --train-data "$shards/plain-*.tar::$shards/plain-*.tar::$shards/restyled-*.tar::$shards/generated-*.tar" \
  --model "$here/model.json" --tokenizer "$work/tokenizer" --cache-decoded 4G \
  --json-text-key en,zh --json-text-key-probs 0.5,0.5 --aug-cfg style=0.65 \
  --image-resize-mode longest --image-fill 255 \
  --batch-size 128 --epochs 8 --lr 2e-3 --wd 0.1 --beta2 0.98 --eps 1e-6 --warmup 150 --ema 0.998 \
  --label-key concept --concept-table 1 --hog-distill 4 \
  --precision fp32 --workers 1 --seed 1 --save-every-n-steps 300 --save-frequency 2 --log-every-n-steps 25 \
  --report-to tensorboard --logs "$work/logs" --name default "${resume[@]}" "$@"
