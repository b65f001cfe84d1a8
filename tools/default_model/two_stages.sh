#!/usr/bin/env bash
# Does a first stage on pictures alone pay? Trains the default model's towers twice at equal compute, on the shards that
# build.sh made: STEPS steps on pairs; and a quarter of them on pictures alone, the rest on pairs from that tower. A step on 64
# pictures has 128 views, so it costs what one on 128 pairs costs, without the captions. Processor time is printed for each run;
# run it again after an interruption. Then measure both, on the left-out artist where a choice hangs on it:
#   WORKDIR=build/default_model tools/default_model/two_stages.sh [more openclip-train flags]
#   tools/default_model/evaluate.py --model $WORKDIR/two_stages/pairs/checkpoints/epoch_1/ema \
#     --against $WORKDIR/two_stages/alone/checkpoints/epoch_1/ema
# It did not for the shipped recipe: docs/default_model.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=${WORKDIR:-build/default_model}
trainer=${OPENCLIP_TRAIN:-build/openclip-train}
shards=$work/shards/${SHARDS:-train}
steps=${STEPS:-1600}
logs=$work/two_stages

# run NAME STEPS BATCH FLAGS…: one run of one epoch; resumed where it was begun, passed over where it is done.
run() {
  local name=$1 count=$2 batch=$3 checkpoints=$logs/$1/checkpoints resume=()
  shift 3
  [ -e "$checkpoints/epoch_1" ] && return
  [ -e "$checkpoints" ] && resume=(--resume latest)
  TIMEFORMAT="$name: %U s of processor time"
  time "$trainer" \
    --train-data "$shards/plain-*.tar::$shards/plain-*.tar::$shards/views-*.tar::$shards/restyled-*.tar::$shards/generated-*.tar" \
    --model "$here/model.json" --tokenizer "$work/tokenizer" --cache-decoded 4G --json-text-key en,zh \
    --json-text-key-probs 0.5,0.5 --aug-cfg style=0.65 --image-resize-mode longest --image-fill 255 --wd 0.1 --beta2 0.98 \
    --eps 1e-6 --workers 1 --seed 1 --lr 2e-3 --epochs 1 --save-every-n-steps 100 --log-every-n-steps 25 --logs "$logs" \
    --name "$name" --train-num-samples $((count * batch)) --batch-size "$batch" --warmup $((count / 10)) "${resume[@]}" "$@"
  [ -e "$checkpoints/epoch_1" ] || exit 1  # stopped by a signal, its state saved
}

pairs=(--label-key concept --concept-table 1 --concept-align 4 --hog-distill 4 --ema 0.99)
run alone "$steps" 128 "${pairs[@]}" "$@"
run pictures $((steps / 4)) 64 --stage visual "$@"
run pairs $((steps - steps / 4)) 128 "${pairs[@]}" --pretrained-image "$logs/pictures/checkpoints/epoch_1" "$@"
