#pragma once

#include <string>
#include <vector>

/// `polyhead doctor`: checks whether a machine has what a run needs. Each check is a pure function of facts;
/// `facts.hpp` collects them.
namespace polyhead::doctor {

enum class Verdict {
  ok,
  note,     ///< a run works, but may be slow, or fail in some case
  problem,  ///< keeps a run from working
};

/// "ok", "note", "problem"
std::string name(Verdict verdict);

/// Result of one check.
struct Finding {
  std::string check;  ///< "network"
  Verdict verdict = Verdict::ok;
  std::string text;    ///< text that should be the same on all hosts
  std::string detail;  ///< details of each host: addresses, free memory
  std::string advice;  ///< how to mend it; empty for ok
};

/// Findings of the checks of one host.
struct HostReport {
  std::string host;
  std::vector<Finding> findings;
};

}  // namespace polyhead::doctor
