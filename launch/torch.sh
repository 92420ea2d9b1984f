# Functions for launch/bundle.sh and for the start of its bundles: which PyTorch is there. Sourced, never run.
# shellcheck shell=bash

# The folder of python3's torch; importing it would take seconds.
find_torch() {
  python3 -c 'import importlib.util as u, sys; s = u.find_spec("torch"); sys.exit(s is None) if not s else print(s.submodule_search_locations[0])' 2> /dev/null
}

# torch_version FOLDER: as 2.11.0+cu130. A wheel says it in version.py, a LibTorch without Python in build-version.
torch_version() {
  local version=''
  if [[ -r $1/version.py ]]; then
    version=$(sed -n "s/^__version__ = '\(.*\)'$/\1/p" "$1/version.py")
  elif [[ -r $1/build-version ]]; then
    version=$(< "$1/build-version")
  fi
  [[ -n $version ]] && echo "$version"
}

# torch_kind VERSION: what must agree between build and run, as 2.11+cu130. A patch release keeps the interface.
torch_kind() { sed -E 's/^([0-9]+\.[0-9]+)[^+]*/\1/' <<< "$1"; }
