# The lab's parts as shell functions: links, addresses, backends. Sourced by scripts/lab.
# docs/lab.md draws the network and lists the addresses.

lab_spaces=(fabric client balancer backend1 backend2 backend3)
lab_backends=(1 2 3)
# Laid only when asked for: lab_extras.sh.
lab_far_spaces=(far gate2 gate)
mapfile -t lab_many_spaces < <(printf 'many%d\n' {1..20})
lab_all_spaces=("${lab_spaces[@]}" "${lab_far_spaces[@]}" "${lab_many_spaces[@]}")
# More addresses of the client, so that affinity by source address has something to tell apart.
client_addresses=$(seq 201 220)
# Last parts of the service addresses that the backends own too: dsr-l2, dsr-ipip, dsr-gue.
direct_services='110 120 130'

space() { printf '%s-%s' "$lab_prefix" "$1"; }
in_space() { # SPACE COMMAND...
  local name=$1
  shift
  ip netns exec "$(space "$name")" "$@"
}
space_exists() { [[ -e /run/netns/$(space "$1") ]]; }

# --- links ---------------------------------------------------------------------------------------

# A veth hands over packets with unfinished checksums and of any size unless it is told not to;
# Hawser's side of the link is a NIC without offloads.
offloads_off() { # SPACE LINK
  in_space "$1" ethtool -K "$2" rx off tx off sg off tso off gso off gro off rxvlan off txvlan off \
    >/dev/null 2>&1 || true
  in_space "$1" ethtool -k "$2" | grep -q '^tx-checksumming: off' ||
    die "the offloads of $2 in $1 cannot be switched off"
}

# One cable: LINK in SPACE, the other end in the fabric on BRIDGE.
cable() { # SPACE LINK BRIDGE MAC
  local space=$1 link=$2 bridge=$3 mac=$4 plug=$1-$3
  ip link add "$link" address "$mac" netns "$(space "$space")" \
    type veth peer name "$plug" netns "$(space fabric)"
  ip -n "$(space fabric)" link set "$plug" master "$bridge" up
  offloads_off fabric "$plug"
  offloads_off "$space" "$link"
}

new_space() { # SPACE
  ip netns add "$(space "$1")"
  ip -n "$(space "$1")" link set lo up
  # Addresses are usable at once: nothing here needs duplicate address detection.
  in_space "$1" sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 \
    net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
    net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0 \
    net.ipv6.conf.default.autoconf=0
}

new_bridge() { # BRIDGE
  ip -n "$(space fabric)" link add "$1" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
  in_space fabric sysctl -qw "net.ipv6.conf.$1.disable_ipv6=1"
  # A bridge that filters also drops malformed packets, which are ours to see.
  in_space fabric sysctl -qew net.bridge.bridge-nf-call-iptables=0 \
    net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0
  ip -n "$(space fabric)" link set "$1" up
}

# --- spaces --------------------------------------------------------------------------------------

lay_client() {
  local n name
  name=$(space client)
  cable client data data 02:77:00:00:00:02
  cable client mgmt mgmt 02:78:00:00:00:02
  ip -n "$name" address add 10.77.0.2/24 dev data
  ip -n "$name" address add fd77::2/64 dev data nodad
  for n in $client_addresses; do
    ip -n "$name" address add "10.77.0.$n/24" dev data
    ip -n "$name" address add "fd77::$n/64" dev data nodad
  done
  ip -n "$name" address add 10.78.0.2/24 dev mgmt
  ip -n "$name" link set data up
  ip -n "$name" link set mgmt up
  in_space client sysctl -qw net.ipv4.ip_local_port_range='1024 65535' net.ipv4.tcp_tw_reuse=1
}

# A link that belongs to Hawser: the kernel keeps no address on it and must stay silent there, for
# net_af_packet gives Hawser a copy of each packet and does not take it away from the kernel.
silence() { # SPACE LINK
  in_space "$1" sysctl -qw "net.ipv6.conf.$2.disable_ipv6=1" "net.ipv4.conf.$2.arp_ignore=8" \
    "net.ipv4.conf.$2.arp_announce=2" "net.ipv4.conf.$2.rp_filter=1"
}

lay_balancer() {
  local name
  name=$(space balancer)
  cable balancer uplink data 02:77:00:00:00:01
  cable balancer mgmt mgmt 02:78:00:00:00:01
  silence balancer uplink
  ip -n "$name" address add 10.78.0.1/24 dev mgmt
  ip -n "$name" link set uplink up
  ip -n "$name" link set mgmt up
}

lay_backend() { # N
  local n=$1 space=backend$1 name
  name=$(space "$space")
  cable "$space" data data "02:77:00:00:00:1$n"
  cable "$space" mgmt mgmt "02:78:00:00:00:1$n"
  # Direct replies: the backend owns the service addresses too, and keeps that to itself.
  in_space "$space" sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 \
    net.ipv4.tcp_tw_reuse=1
  ip -n "$name" -batch - <<TEXT
$(printf 'address add 10.77.0.%s/32 dev lo\n' $direct_services)
$(printf 'address add fd77::%s/128 dev lo nodad\n' $direct_services)
address add 10.77.0.1$n/24 dev data
address add fd77::1$n/64 dev data nodad
address add 10.78.0.1$n/24 dev mgmt
link set data up
link set mgmt up
TEXT
}

# --- backends ------------------------------------------------------------------------------------

backend_number() {
  [[ ${1:-} =~ ^[123]$ ]] || die "a backend is 1, 2 or 3, not \"${1:-}\""
  printf '%s' "$1"
}

backend_configuration() { # N
  local n=$1 place=$lab_directory/backend$1
  [[ ! -e $mail_module ]] || printf 'load_module %s;\n' "$mail_module"
  cat <<TEXT
user www-data;
worker_processes 1;
pid $place/pid;
error_log $place/error.log warn;
events { worker_connections 8192; }
http {
  access_log off;
  log_format plain '\$remote_addr \$remote_port \$server_addr:\$server_port \$request_uri';
  client_body_temp_path $place/tmp;
  proxy_temp_path $place/tmp;
  fastcgi_temp_path $place/tmp;
  uwsgi_temp_path $place/tmp;
  scgi_temp_path $place/tmp;
  default_type text/plain;
  keepalive_requests 1000000;
  keepalive_timeout 300s;
  server_tokens off;
  server {
    listen 10.77.0.1$n:8080 backlog=4096;
    listen [fd77::1$n]:8080 backlog=4096;
    listen 10.77.0.1$n:80;
    listen [fd77::1$n]:80;
$(printf '    listen 10.77.0.%s:80 backlog=4096;\n' $direct_services)
$(printf '    listen [fd77::%s]:80 backlog=4096;\n' $direct_services)
$(printf '    listen 10.77.0.%s:81;\n' $direct_services)
$(printf '    listen [fd77::%s]:81;\n' $direct_services)
    add_header X-Backend b$n always;
    # What is asked for here is counted in the log: one line a request.
    location / {
      access_log $place/access.log plain;
      return 200 "b$n\n";
    }
    location /healthz { return 200 "ok\n"; }
    location /quiet { return 200 "b$n\n"; }
    location /broken { return 503 "broken\n"; }
    location /files/ { alias $lab_directory/files/; }
  }
  server {
    listen 10.78.0.1$n:8081;
    location /status { stub_status; }
  }
  # Takes the client's address from a PROXY header, as real_ip is set up for, and tells it.
  server {
    listen 10.77.0.1$n:8082 proxy_protocol;
    listen [fd77::1$n]:8082 proxy_protocol;
    real_ip_header proxy_protocol;
    set_real_ip_from 10.77.0.0/24;
    set_real_ip_from fd77::/64;
    add_header X-Backend b$n always;
    add_header X-Client "\$remote_addr \$remote_port" always;
    location / { return 200 "b$n\n"; }
    location /files/ { alias $lab_directory/files/; }
  }
  # Whom the mail server below asks about a recipient: nobody may, and the refusal says who asked.
  server {
    listen 127.0.0.1:8083;
    location / {
      add_header Auth-Status "client \$http_client_ip";
      add_header Auth-Error-Code "550 5.7.1";
      return 200;
    }
  }
}
TEXT
  [[ ! -e $mail_module ]] || mail_configuration "$n"
}

# A server that speaks first: it greets before the client has sent a byte.
mail_module=/usr/lib/nginx/modules/ngx_mail_module.so
mail_configuration() { # N
  cat <<TEXT
mail {
  server_name b$1;
  auth_http 127.0.0.1:8083/;
  server {
    listen 10.77.0.1$1:2525 proxy_protocol;
    listen [fd77::1$1]:2525 proxy_protocol;
    set_real_ip_from 10.77.0.0/24;
    set_real_ip_from fd77::/64;
    protocol smtp;
    smtp_auth none;
  }
}
TEXT
}

# The master and its workers, from the pid file of this lab only.
backend_processes() { # N
  local pid file=$lab_directory/backend$1/pid
  [[ -s $file ]] || return 0
  pid=$(<"$file")
  [[ $pid =~ ^[0-9]+$ && $(ip netns identify "$pid" 2>/dev/null) == "$(space "backend$1")" ]] ||
    return 0
  printf '%s\n' "$pid"
  pgrep -P "$pid" || true
}

backend_start() { # N
  local place=$lab_directory/backend$1
  [[ -z $(backend_processes "$1") ]] || return 0
  mkdir -p "$place/tmp"
  chown www-data "$place/tmp"
  backend_configuration "$1" >"$place/nginx.conf"
  in_space "backend$1" nginx -p "$place/" -c "$place/nginx.conf" -e "$place/error.log" 9>&-
}

backend_kill() { # N
  local processes
  mapfile -t processes < <(backend_processes "$1")
  ((${#processes[@]} > 0)) || die "nginx of backend $1 does not run"
  kill -9 "${processes[@]}"
  rm -f "$lab_directory/backend$1/pid"
}

# --- verbs ---------------------------------------------------------------------------------------

lab_names() {
  local name
  for name in "${lab_all_spaces[@]}"; do
    if space_exists "$name"; then printf '%s ' "$(space "$name")"; fi
  done
}

lab_stands() {
  local name
  [[ -e $lab_directory/up ]] || return 1
  for name in "${lab_spaces[@]}"; do space_exists "$name" || return 1; done
}

lab_up() {
  local n name
  command -v nginx >/dev/null || die "nginx is missing; scripts/setup demo installs it"
  if ! lab_stands; then
    lab_down
    mkdir -p "$lab_directory/files"
    chmod 755 "$lab_directory"
    head -c 1000000 /dev/zero | tr '\0' 'x' >"$lab_directory/files/1m"
    for name in "${lab_spaces[@]}"; do new_space "$name"; done
    new_bridge data
    new_bridge mgmt
    lay_client
    lay_balancer
    for n in "${lab_backends[@]}"; do lay_backend "$n"; done
    touch "$lab_directory/up"
  fi
  for n in "${lab_backends[@]}"; do backend_start "$n"; done
}

# Everything in the lab's namespaces was started for the lab.
remove_space() { # SPACE
  local pids try
  space_exists "$1" || return 0
  for try in TERM KILL KILL; do
    mapfile -t pids < <(ip netns pids "$(space "$1")")
    ((${#pids[@]} > 0)) || break
    kill -$try "${pids[@]}" 2>/dev/null || true
    wait_gone "${pids[@]}"
  done
  ip netns delete "$(space "$1")"
}

lab_down() {
  local name
  for name in "${lab_all_spaces[@]}"; do remove_space "$name"; done
  rm -rf "$lab_directory"
}

# Until these processes have ended, two seconds at most.
wait_gone() { # PID...
  local pid turn
  for turn in {1..40}; do
    for pid in "$@"; do
      if [[ -d /proc/$pid && $(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) != Z ]]; then
        sleep 0.05
        continue 2
      fi
    done
    return 0
  done
}

lab_status() {
  local name n
  if ! lab_stands; then
    say "the lab does not stand; scripts/lab up lays it"
    return 1
  fi
  for name in "${lab_all_spaces[@]}"; do
    space_exists "$name" || continue
    printf '%-18s %s\n' "$(space "$name")" "$(ip netns pids "$(space "$name")" |
      xargs -r ps -o comm= -p | sort | uniq -c | awk '{printf "%s%s x %d", s, $2, $1; s = ", "}')"
  done
  for n in "${lab_backends[@]}"; do
    [[ -n $(backend_processes "$n") ]] || say "nginx of backend $n does not run; scripts/lab start $n"
  done
}

lab_exec() { # SPACE COMMAND...
  space_exists "$1" || die "there is no $(space "$1"); scripts/lab up lays the lab"
  local name=$1
  shift
  exec ip netns exec "$(space "$name")" "$@"
}
