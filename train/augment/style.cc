#include "augment/style.h"

#include "augment/background.h"
#include "augment/degrade.h"
#include "augment/lines.h"
#include "augment/recolour.h"

namespace openclip::train {
namespace {

// Black mostly; else some dark colour.
Colour ink(Random& random) {
  return random.chance(0.7) ? Colour{0, 0, 0} : random_colour(random, 0, 0.45);
}

void draw(Canvas& target, const Plane& lines, const Colour& colour) {
  for (int c = 0; c < 3; ++c)
    for (size_t i = 0; i < lines.size(); ++i)
      target.colour[c][i] += (colour[c] - target.colour[c][i]) * lines[i];
}

}  // namespace

Canvas restyle(const Canvas& clean, const StyleOptions& options, bool may_recolour,
               Random& random) {
  Canvas result = random_background(clean.size, random);
  if (!random.chance(options.probability)) {
    composite(clean, result);
    return result;
  }
  const double line_art = may_recolour ? 0.22 : 0;
  const auto style = static_cast<LineStyle>(random.choose({0.40, 0.12, 0.26, line_art}));
  Canvas drawing = clean;
  if (style == LineStyle::line_art)
    clear_fill(drawing, random);
  else if (may_recolour && random.chance(0.6))
    recolour(drawing, random);
  composite(drawing, result);
  if (style != LineStyle::none) {
    // Found lines are two pixels wide; each step adds two.
    const int thickness = static_cast<int>(random.choose({0.62, 0.33, 0.05}));
    draw(result, find_lines(clean, style != LineStyle::silhouette, thickness, random), ink(random));
  }
  if (random.chance(0.5)) degrade(result, random);
  if (may_recolour && random.chance(0.05))
    for (Plane& plane : result.colour)
      for (float& value : plane) value = 1 - value;
  return result;
}

}  // namespace openclip::train
