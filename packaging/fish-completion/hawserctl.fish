# fish completion for hawserctl; printed by "hawserctl completion fish". Do not edit.

function __hawserctl_ask
    set -l words (commandline -opc)
    set -l socket
    for i in (seq 2 (math (count $words) - 1))
        test "$words[$i]" = --socket; and set socket --socket $words[(math $i + 1)]
    end
    hawserctl $socket --timeout 1 --json backends 2>/dev/null
end

function __hawserctl_backend
    __hawserctl_ask | string replace -rf '^ *"id": "(.*)",$' '$1'
end

function __hawserctl_service
    __hawserctl_ask | string replace -rf '^ *"service": "(.*)",$' '$1' | sort -u
end

function __hawserctl_target
    __hawserctl_service
    __hawserctl_backend
end

# Whether an option of all verbs, or of this one, is followed by its value.
function __hawserctl_takes_value
    switch "$argv[1] $argv[2]"
        case '* --socket' \
            '* --timeout' \
            'backends --service' \
            'weight --reason' \
            'drain --by' \
            'drain --jitter' \
            'drain --reason' \
            'ready --reason' \
            'maintenance --for' \
            'maintenance --reason' \
            'flows --service' \
            'flows --backend' \
            'flows --client' \
            'flows --limit' \
            'top --sort' \
            'top --service' \
            'top --interval' \
            'top --count' \
            'reload --reason' \
            'events --last' \
            'events --service' \
            'events --backend' \
            'keys --reason' \
            'history --service' \
            'history --backend' \
            'history --limit' \
            'why --client' \
            'why --method' \
            'why --host' \
            'why --header' \
            'why --cookie' \
            'why --sni' \
            'why --alpn' \
            'why --file' \
            'trace --client' \
            'trace --method' \
            'trace --host' \
            'trace --header' \
            'trace --cookie' \
            'trace --sni' \
            'trace --alpn' \
            'trace --file' \
            'capture --out' \
            'capture --service' \
            'capture --backend' \
            'capture --client' \
            'capture --verdict' \
            'capture --side' \
            'capture --count' \
            'capture --seconds' \
            'capture --snap' \
            'capture --sample'
            return 0
    end
    return 1
end

# The verb and its arguments before the cursor, a line each, without options.
function __hawserctl_words
    set -l words (commandline -opc)
    set -l verb ''
    set -l value no
    for word in $words[2..-1]
        if test $value = yes
            set value no
        else if string match -q -- '-*' $word
            __hawserctl_takes_value "$verb" $word; and set value yes
        else
            # What is planned is completed as if it were done.
            test -z "$verb" -o "$verb" = plan; and set verb $word
            echo $word
        end
    end
end

# Whether no verb is there yet.
function __hawserctl_no_verb
    test (count (__hawserctl_words)) -eq 0
end

# Whether this is the verb, and where a number is given: whether that argument of it comes next.
function __hawserctl_at
    set -l words (__hawserctl_words)
    test "$words[1]" = plan -a (count $words) -gt 1; and set -e words[1]
    test "$words[1]" = $argv[1]; or return 1
    test (count $argv) -eq 1; or test (count $words) -eq $argv[2]
end

complete -c hawserctl -f
complete -c hawserctl -l socket -r -F -d 'socket of hawserd; default $HAWSER_SOCKET, else /run/hawser/hawserd.sock. Without this option, verbs that only read use the read-only twin (…-ro.sock) where the admin socket is not permitted'
complete -c hawserctl -l json -d 'print JSON for programs; errors are JSON on stderr too'
complete -c hawserctl -l timeout -x -d 'give up after that long, --wait included; default 10'
complete -c hawserctl -l no-color -d 'no colours; also with NO_COLOR set, or when the output is not a terminal'
complete -c hawserctl -l help -d 'explain hawserctl, or the verb it is given with'
complete -c hawserctl -l version -d 'print the version of hawserctl alone'
complete -c hawserctl -n __hawserctl_no_verb -a status -d 'Is all well? What to do if not.'
complete -c hawserctl -n __hawserctl_no_verb -a services -d 'List services with state and traffic.'
complete -c hawserctl -n __hawserctl_no_verb -a backends -d 'List backends with state, weight, health and traffic.'
complete -c hawserctl -n __hawserctl_no_verb -a weight -d 'Set a backend\'s weight, or give it back to the file.'
complete -c hawserctl -n __hawserctl_no_verb -a drain -d 'Send a backend no new flows; the old ones stay.'
complete -c hawserctl -n __hawserctl_no_verb -a ready -d 'Give a backend traffic again.'
complete -c hawserctl -n __hawserctl_no_verb -a maintenance -d 'Take a backend out of all traffic at once.'
complete -c hawserctl -n __hawserctl_no_verb -a counters -d 'Show what became of packets, by name.'
complete -c hawserctl -n __hawserctl_no_verb -a flows -d 'List live flows, filtered.'
complete -c hawserctl -n __hawserctl_no_verb -a top -d 'Watch backends live.'
complete -c hawserctl -n __hawserctl_no_verb -a reload -d 'Read the configuration file again.'
complete -c hawserctl -n __hawserctl_no_verb -a plan -d 'What would this change do? Exactly VERB … --dry-run.'
complete -c hawserctl -n __hawserctl_no_verb -a events -d 'What happened, and what happens.'
complete -c hawserctl -n __hawserctl_no_verb -a check -d 'Is this configuration file good? Needs no hawserd.'
complete -c hawserctl -n __hawserctl_no_verb -a keys -d 'List the keys that sign session cookies, or rotate them.'
complete -c hawserctl -n __hawserctl_no_verb -a history -d 'Show who changed what, when and why.'
complete -c hawserctl -n __hawserctl_no_verb -a why -d 'Where would this request go, and why?'
complete -c hawserctl -n __hawserctl_no_verb -a trace -d 'The same as why, with every step of the decision.'
complete -c hawserctl -n __hawserctl_no_verb -a capture -d 'Write packets from the running dataplane to a file.'
complete -c hawserctl -n __hawserctl_no_verb -a version -d 'Print the versions of all three programs.'
complete -c hawserctl -n __hawserctl_no_verb -a completion -d 'Print the completion script of a shell.'
complete -c hawserctl -n '__hawserctl_at status' -l check -d 'exit 1 when there is a problem, for monitoring'
complete -c hawserctl -n '__hawserctl_at services 1' -a '(__hawserctl_service)' -d 'SERVICE'
complete -c hawserctl -n '__hawserctl_at backends' -l service -x -a '(__hawserctl_service)' -d 'only backends of this service'
complete -c hawserctl -n '__hawserctl_at backends 1' -a '(__hawserctl_target)' -d 'TARGET'
complete -c hawserctl -n '__hawserctl_at weight' -l file -d 'back to the weight the configuration file gives'
complete -c hawserctl -n '__hawserctl_at weight' -l dry-run -d 'say what would change, and change nothing'
complete -c hawserctl -n '__hawserctl_at weight' -l reason -x -d 'why; shown by status, backends and history to everybody'
complete -c hawserctl -n '__hawserctl_at weight' -l wait -d 'return when the dataplane has confirmed it'
complete -c hawserctl -n '__hawserctl_at weight 1' -a '(__hawserctl_backend)' -d 'BACKEND'
complete -c hawserctl -n '__hawserctl_at drain' -l by -x -d 'until then sessions are let go evenly; at that time what is left is ended'
complete -c hawserctl -n '__hawserctl_at drain' -l jitter -x -d 'what is left at the deadline is ended over that long; default 10s'
complete -c hawserctl -n '__hawserctl_at drain' -l forever -d 'with --by: flows that are left at the deadline are not ended'
complete -c hawserctl -n '__hawserctl_at drain' -l force -d 'also where a guard of the service refuses; is written down'
complete -c hawserctl -n '__hawserctl_at drain' -l dry-run -d 'say what would change, and change nothing'
complete -c hawserctl -n '__hawserctl_at drain' -l reason -x -d 'why; shown by status, backends and history to everybody'
complete -c hawserctl -n '__hawserctl_at drain' -l wait -d 'return when the backend has no live flow left; exit 4 when some remain at --timeout'
complete -c hawserctl -n '__hawserctl_at drain 1' -a '(__hawserctl_backend)' -d 'BACKEND'
complete -c hawserctl -n '__hawserctl_at ready' -l dry-run -d 'say what would change, and change nothing'
complete -c hawserctl -n '__hawserctl_at ready' -l reason -x -d 'why; shown by status, backends and history to everybody'
complete -c hawserctl -n '__hawserctl_at ready' -l wait -d 'return when the dataplane has confirmed it'
complete -c hawserctl -n '__hawserctl_at ready 1' -a '(__hawserctl_backend)' -d 'BACKEND'
complete -c hawserctl -n '__hawserctl_at maintenance' -l for -x -d 'it is ready again by itself after that long'
complete -c hawserctl -n '__hawserctl_at maintenance' -l force -d 'also where a guard of the service refuses; is written down'
complete -c hawserctl -n '__hawserctl_at maintenance' -l dry-run -d 'say what would change, and change nothing'
complete -c hawserctl -n '__hawserctl_at maintenance' -l reason -x -d 'why; shown by status, backends and history to everybody'
complete -c hawserctl -n '__hawserctl_at maintenance' -l wait -d 'return when the dataplane has confirmed it'
complete -c hawserctl -n '__hawserctl_at maintenance 1' -a '(__hawserctl_backend)' -d 'BACKEND'
complete -c hawserctl -n '__hawserctl_at counters' -l all -d 'also those that are zero'
complete -c hawserctl -n '__hawserctl_at flows' -l service -x -a '(__hawserctl_service)' -d 'only flows of this service'
complete -c hawserctl -n '__hawserctl_at flows' -l backend -x -a '(__hawserctl_backend)' -d 'only flows on this backend'
complete -c hawserctl -n '__hawserctl_at flows' -l client -x -d 'only flows from this address or network'
complete -c hawserctl -n '__hawserctl_at flows' -l limit -x -d 'rows at most; default 1000'
complete -c hawserctl -n '__hawserctl_at top' -l sort -x -a 'name state share ratio flows new requests errors latency sessions packets bits' -d 'name, state, share, ratio, flows, new, requests, errors, latency, sessions, packets or bits; default name'
complete -c hawserctl -n '__hawserctl_at top' -l service -x -a '(__hawserctl_service)' -d 'only backends of this service'
complete -c hawserctl -n '__hawserctl_at top' -l interval -x -d 'between refreshes; default 1'
complete -c hawserctl -n '__hawserctl_at top' -l count -x -d 'print N views and exit'
complete -c hawserctl -n '__hawserctl_at top' -l once -d 'the same as --count 1'
complete -c hawserctl -n '__hawserctl_at reload' -l dry-run -d 'say what would change, and change nothing'
complete -c hawserctl -n '__hawserctl_at reload' -l reason -x -d 'why; shown by status, backends and history to everybody'
complete -c hawserctl -n '__hawserctl_at reload' -l wait -d 'return when the dataplane has confirmed it'
complete -c hawserctl -n '__hawserctl_at plan 1' -a 'weight drain ready maintenance reload keys' -d 'VERB'
complete -c hawserctl -n '__hawserctl_at events' -l follow -d 'go on with what happens, until Ctrl-C'
complete -c hawserctl -n '__hawserctl_at events' -l last -x -d 'of the past only the newest N; default 20'
complete -c hawserctl -n '__hawserctl_at events' -l service -x -a '(__hawserctl_service)' -d 'only events of this service'
complete -c hawserctl -n '__hawserctl_at events' -l backend -x -a '(__hawserctl_backend)' -d 'only events of this backend; without SERVICE/ of every one with that name'
complete -c hawserctl -n '__hawserctl_at check 1' -F -d 'FILE'
complete -c hawserctl -n '__hawserctl_at keys' -l dry-run -d 'say what would change, and change nothing'
complete -c hawserctl -n '__hawserctl_at keys' -l reason -x -d 'why; shown by keys and history to everybody'
complete -c hawserctl -n '__hawserctl_at keys' -l force -d 'rotate also where the guard refuses, and unpin users by it; is written down'
complete -c hawserctl -n '__hawserctl_at keys' -l wait -d 'return when the dataplane has confirmed it'
complete -c hawserctl -n '__hawserctl_at keys 1' -a 'rotate' -d 'ACTION'
complete -c hawserctl -n '__hawserctl_at history' -l service -x -a '(__hawserctl_service)' -d 'only changes of this service\'s backends'
complete -c hawserctl -n '__hawserctl_at history' -l backend -x -a '(__hawserctl_backend)' -d 'only changes of this backend; without SERVICE/ of every one with that name'
complete -c hawserctl -n '__hawserctl_at history' -l limit -x -d 'the newest N, at most 1000; default 20'
complete -c hawserctl -n '__hawserctl_at why' -l client -x -d 'who asks; default 192.0.2.1:50000, for IPv6 [2001:db8::1]:50000'
complete -c hawserctl -n '__hawserctl_at why' -l method -x -d 'default GET'
complete -c hawserctl -n '__hawserctl_at why' -l host -x -d 'default the service\'s address'
complete -c hawserctl -n '__hawserctl_at why' -l header -x -d 'a header of the request; may be repeated'
complete -c hawserctl -n '__hawserctl_at why' -l cookie -x -d 'a cookie of the request; may be repeated'
complete -c hawserctl -n '__hawserctl_at why' -l sni -x -d 'the server name a TLS client asks for; default none'
complete -c hawserctl -n '__hawserctl_at why' -l alpn -x -d 'what the TLS client wants to speak, such as h2; may be repeated'
complete -c hawserctl -n '__hawserctl_at why' -l file -r -F -d 'instead of all that: the head as the client sent it, with its final empty line, or its ClientHello; - reads standard input'
complete -c hawserctl -n '__hawserctl_at why 1' -a '(__hawserctl_service)' -d 'SERVICE'
complete -c hawserctl -n '__hawserctl_at trace' -l client -x -d 'who asks; default 192.0.2.1:50000, for IPv6 [2001:db8::1]:50000'
complete -c hawserctl -n '__hawserctl_at trace' -l method -x -d 'default GET'
complete -c hawserctl -n '__hawserctl_at trace' -l host -x -d 'default the service\'s address'
complete -c hawserctl -n '__hawserctl_at trace' -l header -x -d 'a header of the request; may be repeated'
complete -c hawserctl -n '__hawserctl_at trace' -l cookie -x -d 'a cookie of the request; may be repeated'
complete -c hawserctl -n '__hawserctl_at trace' -l sni -x -d 'the server name a TLS client asks for; default none'
complete -c hawserctl -n '__hawserctl_at trace' -l alpn -x -d 'what the TLS client wants to speak, such as h2; may be repeated'
complete -c hawserctl -n '__hawserctl_at trace' -l file -r -F -d 'instead of all that: the head as the client sent it, with its final empty line, or its ClientHello; - reads standard input'
complete -c hawserctl -n '__hawserctl_at trace 1' -a '(__hawserctl_service)' -d 'SERVICE'
complete -c hawserctl -n '__hawserctl_at capture' -l out -r -F -d 'where the packets go, as pcapng; - is standard output, for | wireshark -k -i -'
complete -c hawserctl -n '__hawserctl_at capture' -l force -d 'write over FILE if it is there'
complete -c hawserctl -n '__hawserctl_at capture' -l service -x -a '(__hawserctl_service)' -d 'only packets of this service'
complete -c hawserctl -n '__hawserctl_at capture' -l backend -x -a '(__hawserctl_backend)' -d 'only packets from and to this backend'
complete -c hawserctl -n '__hawserctl_at capture' -l client -x -d 'only packets of this client or network, on both sides of the balancer'
complete -c hawserctl -n '__hawserctl_at capture' -l verdict -x -a 'forward reply hand_off hold punt drop forward_nat forward_dsr_l2 forward_dsr_ipip forward_dsr_gue forward_icmp forward_fragment forward_proxy_header forward_splice return_nat return_icmp return_splice splice_own reply_arp reply_neighbour reply_reset reply_echo reply_too_big reply_syn_cookie reply_acknowledge reply_answer reply_finish hold_fragment hold_request punt_local punt_neighbour punt_other frame_truncated frame_too_long frame_not_for_us frame_unknown_vlan ipv4_truncated ipv4_bad_version ipv4_bad_header_length ipv4_bad_total_length ipv4_bad_checksum ipv4_bad_source ipv4_source_route ipv6_truncated ipv6_bad_version ipv6_bad_payload_length ipv6_bad_source ipv6_extension ipv6_extension_chain fragment_tiny fragment_first_missing fragment_table_full tcp_truncated tcp_bad_header_length tcp_bad_flags udp_truncated udp_bad_length udp_no_checksum transport_bad_checksum icmp_malformed icmp_unsupported icmp_rate_limited arp_malformed neighbour_malformed source_denied source_rate_exceeded service_full new_flow_rate_exceeded no_service no_backend no_flow ttl_expired next_hop_unresolved flow_table_full nat_ports_exhausted nat_foreign too_big no_buffer opening_table_full opening_acknowledgement splice_handshake splice_fragment splice_acknowledgement splice_out_of_window splice_reset splice_duplicate splice_over splice_taken hold_full' -d 'only packets with this verdict, as in counters, or of this kind: forward, reply, hold, hand_off, punt or drop; may be repeated'
complete -c hawserctl -n '__hawserctl_at capture' -l side -x -a 'received sent both' -d 'received: packets as they came in; sent: as they went out; default both'
complete -c hawserctl -n '__hawserctl_at capture' -l count -x -d 'end after N frames'
complete -c hawserctl -n '__hawserctl_at capture' -l seconds -x -d 'end after that long'
complete -c hawserctl -n '__hawserctl_at capture' -l snap -x -d 'of each frame at most; default all of it'
complete -c hawserctl -n '__hawserctl_at capture' -l sample -x -d 'one of N packets, received and sent together'
complete -c hawserctl -n '__hawserctl_at completion 1' -a 'bash zsh fish' -d 'SHELL'
