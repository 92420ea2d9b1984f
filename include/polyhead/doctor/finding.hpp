#pragma once

#include <string>
#include <vector>

/// `polyhead doctor`: does a machine have what a run needs? Each check is a pure function of facts;
/// `facts.hpp` collects them.
namespace polyhead::doctor {

enum class Verdict {
  ok,
  note,     ///< a run works, but may be slow, or fail in some case
  problem,  ///< keeps a run from working
};

/// "ok", "note", "problem"
std::string name(Verdict verdict);

/// What one check found.
struct Finding {
  std::string check;  ///< "network"
  Verdict verdict = Verdict::ok;
  std::string text;    ///< what should be the same on all hosts
  std::string detail;  ///< what each host has of its own: addresses, free memory
  std::string advice;  ///< how to mend it; empty for ok
};

/// What the checks of one host found.
struct HostReport {
  std::string host;
  std::vector<Finding> findings;
};

}  // namespace polyhead::doctor
