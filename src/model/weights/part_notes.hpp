#pragma once

#include <map>
#include <string>
#include <utility>

#include "polyhead/model/layout.hpp"
#include "polyhead/model/load_weights.hpp"
#include "reading.hpp"

namespace polyhead::model {

/// Text "head 'a' (a.pth)".
std::string described(const config::Head& head);

/// Notes about the files that were read. Of many heads with one note, only the first and their number are
/// reported.
class PartNotes {
 public:
  void backbone(const config::Backbone& backbone, const Reading& reading);
  /// `trunk`: tensors of a backbone in the head's file.
  void head(const config::Head& head, const Reading& reading, const TakenTensors& trunk);
  void warn(std::string text) { findings_.warnings.push_back(std::move(text)); }
  Findings take();

 private:
  struct OfHeads {
    std::string first;
    std::size_t count = 0;
    bool warning = false;
  };
  /// `kind`: key that heads with one note share.
  void of_head(const std::string& kind, const std::string& text, bool warning = false);
  void note_rest_of_head(const config::Head& head, const Reading& reading, const TakenTensors& trunk);

  Findings findings_;
  std::map<std::string, OfHeads> of_heads_;
};

/// Warns of heads that hold equal weights under two names.
void note_twins(const std::vector<config::Head>& heads, const Layout& layout, const Weights& weights,
                PartNotes& notes);

}  // namespace polyhead::model
