# Shell functions shared by the scripts: messages, cleanup, huge pages, where things are.
# Sourced, never run. Expects `set -euo pipefail` in the script that sources it.

hawser_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PYTHONDONTWRITEBYTECODE=1
# Debian's interpreter: scapy is installed for this one only.
python=/usr/bin/python3

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# A heading, bold on a terminal.
heading() {
  if [[ -t 1 ]]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi
}

need_root() {
  [[ $(id -u) == 0 ]] || die "this needs root: it makes network namespaces; try: sudo $0"
}

# --- cleanup -------------------------------------------------------------------------------------

# Commands to run when the script ends, whatever ends it; the last one added runs first.
cleanup_commands=()
on_exit() { cleanup_commands=("$*" "${cleanup_commands[@]}"); }

run_cleanup() {
  local status=$? command
  trap - EXIT
  trap '' INT TERM HUP
  for command in "${cleanup_commands[@]}"; do
    eval "$command" || true
  done
  exit "$status"
}

trap_cleanup() {
  trap run_cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
}

# Runs a command so that a signal to this script is acted on at once, not when the command ends.
child=
run() {
  local status=0
  "$@" &
  child=$!
  wait "$child" || status=$?
  child=
  return "$status"
}
end_child() {
  [[ -n $child ]] || return 0
  end_tree "$child"
  wait "$child" 2>/dev/null || true
}
end_tree() { # PID
  local each children
  children=$(pgrep -P "$1") || true
  kill "$1" 2>/dev/null || true
  for each in $children; do end_tree "$each"; done
}

# --- building ------------------------------------------------------------------------------------

# Configures DIR unless that was done, and builds it; quiet unless it fails.
# The newest level of x86-64 that this machine has and the build may use (meson_options.txt).
cpu_level() {
  if grep -qw avx2 /proc/cpuinfo && grep -qw bmi2 /proc/cpuinfo && grep -qw movbe /proc/cpuinfo; then
    echo x86-64-v3
  else
    echo x86-64-v2
  fi
}

build_with() { # DIR MESON-OPTIONS...
  local directory=$1 log
  shift
  log=$(mktemp)
  if ! {
    [[ -e $directory/build.ninja ]] || meson setup "$directory" "$hawser_root" "-Dcpu=$(cpu_level)" "$@"
    ninja -C "$directory"
  } >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    die "building $directory failed"
  fi
  rm -f "$log"
  say "built in $directory"
}

build_release() { # DIR
  build_with "$1" --buildtype=release -Dtests=false -Dbench=false
}

# --- the lab -------------------------------------------------------------------------------------

# Every namespace is named with this prefix, so that nothing else is ever touched and two labs can
# stand side by side.
lab_prefix=${HAWSER_LAB:-hawser}
[[ $lab_prefix =~ ^[a-z][a-z0-9]{0,15}$ ]] || die "HAWSER_LAB: \"$lab_prefix\" is not a word of a-z0-9"
lab_directory=/run/$lab_prefix-lab
lab_lock=/run/$lab_prefix-lab.lock

# One user of the lab at a time; the lock goes with the process that holds it. A lock file that was
# removed meanwhile locks nobody out.
take_lab_lock() {
  exec 9>"$lab_lock"
  flock -n 9 && [[ $lab_lock -ef /proc/self/fd/9 ]] || die "another demo or test uses the lab; wait for it, or choose another name: HAWSER_LAB=other $0"
  on_exit "rm -f '$lab_lock'"
}

need_two_cores() {
  local cores
  cores=$(nproc)
  ((cores >= 2)) || die "two cores are needed, one for the main loop and one for a worker; this machine lends $cores"
}

# --- huge pages ----------------------------------------------------------------------------------

huge_pages_node=/sys/kernel/mm/hugepages/hugepages-2048kB
huge_taken=$lab_directory-huge  # a file: how many pages were reserved for the lab

free_huge_pages() { cat $huge_pages_node/free_hugepages 2>/dev/null || echo 0; }
all_huge_pages() { cat $huge_pages_node/nr_hugepages 2>/dev/null || echo 0; }

# Makes sure that so many 2 MiB huge pages are free. Where that fails it gives back what it got; the
# dataplane then says so and runs on ordinary pages.
reserve_huge_pages() {
  local wanted=${1:-256} before missing
  give_back_huge_pages
  before=$(all_huge_pages)
  missing=$((wanted - $(free_huge_pages)))
  ((missing > 0)) || return 0
  (echo $((before + missing)) >$huge_pages_node/nr_hugepages) 2>/dev/null || true
  echo $(($(all_huge_pages) - before)) >"$huge_taken"
  if (($(free_huge_pages) < wanted)); then
    give_back_huge_pages
    warn "no huge pages: $wanted of 2 MiB could not be reserved; the dataplane runs on ordinary pages, slower but complete"
  fi
}

# Undoes reserve_huge_pages, of this run or of one that could not clean up.
give_back_huge_pages() {
  local taken
  [[ -s $huge_taken ]] || return 0
  taken=$(<"$huge_taken")
  rm -f "$huge_taken"
  ((taken <= 0)) || (echo $(($(all_huge_pages) - taken)) >$huge_pages_node/nr_hugepages) || true
}
