#!/usr/bin/env bash
# Compiles each header alone: whoever includes one need not know what to include before it.
#
#   tests/headers.sh [PATTERN]      those whose path matches; all when missing. Takes minutes.
set -euo pipefail
# shellcheck source=launch/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../launch/common.sh"
cd "$root"
configure release

# The flags of any file of a module know where its libraries are.
check() { # HEADER
  local header=$1 module flags
  module=$(sed -E 's,^(include/polyhead|src)/([a-z0-9_]+)/.*,\2,' <<< "$header")
  flags=$("$python" - "$module" << 'EOF'
import json, re, shlex, sys
for each in json.load(open("build/release/compile_commands.json")):
    if f"/src/{sys.argv[1]}/" in each["file"]:
        words = shlex.split(each["command"])
        words = words[next(i for i, word in enumerate(words) if re.search(r"(^|/)(c|g|clang)\+\+[^/]*$", word)):]
        words = words[1:words.index("-o")]
        prepared = {place for place, word in enumerate(words) if "cmake_pch" in word}  # it would hide what is missing
        print("\n".join(word for place, word in enumerate(words)
                        if not word.startswith("-M") and place not in prepared and place + 1 not in prepared))
        break
EOF
  )
  mapfile -t flags <<< "$flags"
  (cd build/release && c++ "${flags[@]}" -fsyntax-only -include "$root/$header" -x c++ /dev/null) || {
    say "$header cannot be included alone"
    return 1
  }
}
export -f check say
export root python
headers=$(git ls-files 'include/*.hpp' 'src/*.hpp' | grep -E "${1-}") || die "no header's path matches '${1-}'"
xargs -P "$(nproc)" -I{} bash -c 'check {}' <<< "$headers"
