# SPDX-License-Identifier: Apache-2.0
# What ./dev and the scripts in tools/ share: installing, configuring, building. Sourced by bash, from the top folder.

# The compiler cache is the user's own (CCACHE_DIR), so that a second clone costs little.
[ -w "${HOME:-/nonexistent}" ] || export CCACHE_DIR=${CCACHE_DIR:-$PWD/build/ccache}
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
JOBS=${JOBS:-$(nproc)}

say() { printf '\033[1m== %s\033[0m\n' "$*" | plain; }

# Without a terminal, or with NO_COLOR, text goes out without escape sequences.
plain() { if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi; }

# fail TEXT: says why and ends.
fail() {
  echo "./dev: $*" >&2
  exit 1
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# missing_packages GROUP..: the names of the packages of these groups that are not installed, one a line.
missing_packages() {
  local group groups=" $* " names name
  while read -r group names _; do
    case "$group" in '' | '#'*) continue ;; esac
    case "$groups" in *" $group "*) ;; *) continue ;; esac
    for name in ${names//|/ }; do
      is_installed "$name" && continue 2
    done
    echo "${names%%|*}"
  done <tools/packages.txt | sort -u
}

# install_packages GROUP..: installs what is missing; without anything missing it needs no privilege.
install_packages() {
  local missing as_root=()
  [ -z "${LANYARD_NO_INSTALL:-}" ] || return 0
  command -v dpkg-query >/dev/null || fail "this is not Debian; tools/packages.txt lists what to install. Then set LANYARD_NO_INSTALL=1"
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing, and there is no sudo; run './dev packages $*' or, as root: apt-get install" $missing
    as_root=(sudo)
  fi
  say "installing" $missing
  "${as_root[@]}" tools/install_packages $missing
}

# configure PRESET: configures build/PRESET as CMakePresets.json says, unless that was done since the presets changed. Without
# GoogleTest, which only `./dev test` asks for, the tests are left out.
configure() {
  local dir=build/$1 presets tests=()
  pkg-config --exists gtest || tests=(-DBUILD_TESTING=OFF)
  presets="$(cksum <CMakePresets.json) ${tests[*]}"
  if [ ! -f "$dir/build.ninja" ] || [ "$(cat "$dir/presets" 2>/dev/null)" != "$presets" ]; then
    mkdir -p build
    cmake --preset "$1" "${tests[@]}" >"$dir.log" 2>&1 || {
      cat "$dir.log"
      fail "configuring $dir failed"
    }
    printf '%s' "$presets" >"$dir/presets"
  fi
}

# build PRESET TARGET..: configures build/PRESET if need be and builds these targets there.
build() {
  local preset=$1
  shift
  say "building build/$preset: $*"
  configure "$preset"
  ninja -C "build/$preset" -j "$JOBS" "$@" || fail "the $preset build failed"
}

# Our C++ sources, each followed by a zero byte.
cpp_sources() { find src tests fuzz bench examples \( -name '*.cc' -o -name '*.hh' \) -print0 2>/dev/null; }
