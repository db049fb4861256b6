# What scripts/lab lays only when asked for: a far client, twenty backends, a trunk.
# Sourced by scripts/lab after lab.sh. docs/lab.md draws them.

# --- far: a client behind a 1280-byte link --------------------------------------------------------

# Two ends of one cable that no bridge is on.
direct_cable() { # SPACE LINK SPACE LINK MTU
  ip link add "$2" mtu "$5" netns "$(space "$1")" \
    type veth peer name "$4" mtu "$5" netns "$(space "$3")"
  offloads_off "$1" "$2"
  offloads_off "$3" "$4"
  ip -n "$(space "$1")" link set "$2" up
  ip -n "$(space "$3")" link set "$4" up
}

# A router says that a packet is too big each time, not once a second: a test waits for it. It lets
# answers pass that far sends from an address of a service.
make_router() { # SPACE
  in_space "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 \
    net.ipv4.icmp_msgs_burst=10000 net.ipv4.conf.all.send_redirects=0 \
    net.ipv4.conf.default.send_redirects=0 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
}

# far --1500-- gate2 --1280-- gate --1500-- data. The narrow link is between two routers, so that
# neither end sees it: each learns of it from the router before it.
lay_far() {
  local name n
  for name in "${lab_far_spaces[@]}"; do new_space "$name"; done
  make_router gate
  make_router gate2
  cable gate data data 02:77:00:00:00:fe
  ip -n "$(space gate)" link set data up
  direct_cable far data gate2 far 1500
  direct_cable gate2 narrow gate narrow 1280
  ip -n "$(space gate)" -batch - <<'TEXT'
address add 10.77.0.254/24 dev data
address add fd77::fe/64 dev data nodad
address add 10.80.0.1/24 dev narrow
address add fd80::1/64 dev narrow nodad
route add 10.79.0.0/24 via 10.80.0.2
route add fd79::/64 via fd80::2
TEXT
  ip -n "$(space gate2)" -batch - <<'TEXT'
address add 10.79.0.1/24 dev far
address add fd79::1/64 dev far nodad
address add 10.80.0.2/24 dev narrow
address add fd80::2/64 dev narrow nodad
route add default via 10.80.0.1
route add default via fd80::1
TEXT
  ip -n "$(space far)" -batch - <<'TEXT'
address add 10.79.0.2/24 dev data
address add fd79::2/64 dev data nodad
address add 10.77.0.140/32 dev lo
address add fd77::140/128 dev lo nodad
route add default via 10.79.0.1
route add default via fd79::1
TEXT
  for n in "${lab_backends[@]}"; do
    ip -n "$(space "backend$n")" route replace 10.79.0.0/24 via 10.77.0.254
    ip -n "$(space "backend$n")" route replace fd79::/64 via fd77::fe
  done
}

# --- twenty: as many backends, each with a TCP of its own -----------------------------------------

# 10.77.0.31 to .50 and fd77::31 to fd77::50. A packet of somebody else's connection is reset there,
# which is what makes a moved connection visible.
lay_many() { # N
  local n=$1 space=many$1 host=$((30 + $1))
  new_space "$space"
  cable "$space" data data "$(printf '02:77:00:00:01:%02x' "$n")"
  in_space "$space" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
  ip -n "$(space "$space")" -batch - <<TEXT
address add 10.77.0.110/32 dev lo
address add fd77::110/128 dev lo nodad
address add 10.77.0.$host/24 dev data
address add fd77::$host/64 dev data nodad
link set data up
TEXT
}

# --- trunk: a second cable between client and balancer, for tagged frames -------------------------

lay_trunk() {
  direct_cable client trunk balancer trunk 1500
  ip -n "$(space client)" link set trunk address 02:76:00:00:00:02
  ip -n "$(space balancer)" link set trunk address 02:76:00:00:00:01
  silence balancer trunk
  in_space client sysctl -qw net.ipv6.conf.trunk.disable_ipv6=1 net.ipv4.conf.trunk.arp_ignore=8
}

# --- all of them ----------------------------------------------------------------------------------

extra_stands() { # far|twenty|trunk SPACE...
  local name
  [[ -e $lab_directory/$1 ]] || return 1
  shift
  for name in "$@"; do space_exists "$name" || return 1; done
}

# What a run that was cut short has left of it goes first.
lay_extra() { # far|twenty|trunk SPACE...
  local what=$1 name n
  ! extra_stands "$@" || return 0
  shift
  for name in "$@"; do remove_space "$name"; done
  case $what in
    far) lay_far ;;
    twenty) for n in $(seq 20); do lay_many "$n"; done ;;
    trunk)
      ip -n "$(space client)" link delete trunk 2>/dev/null || true
      lay_trunk
      ;;
  esac
  touch "$lab_directory/$what"
}

lab_add() { # far|twenty|trunk
  case $1 in
    far) lay_extra far "${lab_far_spaces[@]}" ;;
    twenty) lay_extra twenty "${lab_many_spaces[@]}" ;;
    trunk) lay_extra trunk ;;
  esac
}
