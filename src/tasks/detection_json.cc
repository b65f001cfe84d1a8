#include "tasks/detection_json.h"

#include <cmath>

namespace openclip {

OrderedJson box_json(const Detection& found) {
  OrderedJson box = OrderedJson::array();
  for (const double at : found.box) box.push_back(std::round(at * 100) / 100);
  return box;
}

OrderedJson detection_json(const Detection& found) {
  return {{"label", found.label}, {"score", found.score}, {"box", box_json(found)}};
}

}  // namespace openclip
