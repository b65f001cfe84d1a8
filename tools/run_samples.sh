#!/usr/bin/env bash
# What `make run` shows: the sample pictures, named in English and Chinese by the shipped model.
#   tools/run_samples.sh build/openclip
set -euo pipefail
openclip=$1
cd "$(dirname "$0")/.."

echo "Pictures in samples/, named by the shipped model (models/default), without any network:"
echo
"$openclip" classify samples/*.png --top 2 --language en
echo
echo "The same pictures in Chinese / 同样的图片，中文名称："
echo
"$openclip" classify samples/*.png --top 2 --language zh
cat <<EOF

Your own pictures:   $openclip classify my.jpg --labels "a cat,a dog,a car"
All commands:        $openclip --help
A real CLIP:         $openclip classify my.jpg --labels "a cat,a dog" --model ViT-B-32 --pretrained laion2b_s34b_b79k
                     (finds what Python's open_clip downloaded, or takes --pretrained FILE.safetensors)

The shipped model knows drawings, icons and emoji. For photographs use a real CLIP.
EOF
