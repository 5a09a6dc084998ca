#!/bin/sh
# Written by tools/collector.py from bot/collect/commands.py and tools/node/frame.sh: change it there, then `make docs`.
#
# @NAME@ KEY [VALUE...]          run the one command that KEY stands for; what needs root goes through sudo by itself
# @NAME@ --check KEY [VALUE...]  only say whether it would run: status 0 or 64
# @NAME@ --list                  every key: rights, seconds, values
# @NAME@ --version               the hash of the table
#
# Reads only. A value is never part of a command's text: it is held to its form here, and then passed as "$1", "$2".
# Status 64: no such key, or a value that is not of its form; nothing was run. Else the status of the command, 124 = it
# took too long. At most @CAP@ bytes are printed, standard error among them. Runs under dash, bash and busybox.
set -fu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
unset IFS
SBIN=/usr/local/sbin
UPPER=ABCDEFGHIJKLMNOPQRSTUVWXYZ
LOWER=abcdefghijklmnopqrstuvwxyz
DIGIT=0123456789

stop() { printf '@NAME@: %s\n' "$1" >&2; exit 64; }

# of VALUE CHARACTERS LONGEST: whether VALUE has only these characters; they are spelt out, for ranges depend on the locale
of() {
  case $1 in '' | *[!$2]*) return 1 ;; esac
  [ "${#1}" -le "$3" ]
}

# first VALUE CHARACTERS: whether VALUE begins with one of these
first() { case $1 in [$2]*) return 0 ;; *) return 1 ;; esac; }

number() { of "$1" "$DIGIT" "$2" && first "$1" 123456789; }

octet() { of "$1" "$DIGIT" 3 && case $1 in 0 | [123456789]*) [ "$1" -le 255 ] ;; *) return 1 ;; esac; }

ipv4() {
  of "$1" "$DIGIT." 15 || return 1
  case $1 in *.*.*.*.* | *. | .* | *..*) return 1 ;; *.*.*.*) ;; *) return 1 ;; esac
  rest=$1.
  while [ -n "$rest" ]; do octet "${rest%%.*}" || return 1; rest=${rest#*.}; done
}

ipv6() { of "$1" "${DIGIT}abcdefABCDEF:." 45 && case $1 in *:*:*) ;; *) return 1 ;; esac; }

path() {
  of "$1" "$UPPER$LOWER$DIGIT._@+/-" 1024 || return 1
  case $1/ in [!/]* | *//?* | *///* | */./* | */../*) return 1 ;; esac
  case $1 in */) return 1 ;; esac
}

is_ADDRESS() { ipv4 "$1" || ipv6 "$1"; }
is_DST() { is_ADDRESS "$1"; }
is_PODIP() { is_ADDRESS "$1"; }
is_SERVER() { is_ADDRESS "$1"; }
is_NAME() { of "$1" "$UPPER$LOWER${DIGIT}_.-" 254 && first "$1" "$UPPER$LOWER${DIGIT}_" && case $1 in *-) return 1 ;; esac; }
is_HOST() { is_ADDRESS "$1" || is_NAME "$1"; }
is_TYPE() { case $1 in A | AAAA | SRV | CNAME | NS | PTR | TXT | SOA) ;; *) return 1 ;; esac; }
is_PORT() { number "$1" 5; }
is_PID() { number "$1" 10; }
is_LINES() { number "$1" 4; }
is_TABLE() { of "$1" "$DIGIT" 10 || { of "$1" "$LOWER${DIGIT}_.-" 32 && first "$1" "$LOWER"; }; }
is_IFACE() { of "$1" "$UPPER$LOWER${DIGIT}_.@-" 15 && first "$1" "$UPPER$LOWER$DIGIT"; }
is_SINCE() {
  case $1 in
    @*) of "${1#@}" "$DIGIT" 11 && [ "${#1}" -ge 10 ] ;;
    -*min) rest=${1%min}; number "${rest#-}" 5 ;;
    -*[sh]) rest=${1%?}; number "${rest#-}" 5 ;;
    *) return 1 ;;
  esac
}
is_CONTAINER() { of "$1" "${DIGIT}abcdef" 64 && [ "${#1}" -ge 12 ]; }
is_COMPONENT() { case $1 in kube-apiserver | kube-controller-manager | kube-scheduler | etcd) ;; *) return 1 ;; esac; }
is_FILE() { path "$1"; }
is_ENDPOINT() {
  of "${1##*:}" "$DIGIT" 5 || return 1
  case $1 in
    '['*']':*) rest=${1%]:*}; of "${rest#?}" "${DIGIT}abcdefABCDEF:." 45 ;;
    *) of "${1%:*}" "$UPPER$LOWER$DIGIT.-" 253 && first "$1" "$UPPER$LOWER$DIGIT." ;;
  esac
}
# Only below /var/log, and for root no link out of it: else any path would be any file.
is_LOGFILE() {
  path "$1" && case $1 in /var/log/?*) ;; *) return 1 ;; esac
  [ "$(id -u)" != 0 ] || [ ! -e "$1" ] || case $(readlink -f "$1") in "$(readlink -f /var/log)"/*) ;; *) return 1 ;; esac
}
# Below the runtime's own folders, never in one that a pod writes, and no link.
is_RESOLVCONF() {
  path "$1" || return 1
  case $1 in *+* | */fs/* | */merged/* | */diff/* | */rootfs/* | */upper/* | */work/* | */pods/*) return 1 ;; esac
  case $1 in /var/lib/*/resolv.conf | /run/*/resolv.conf | /var/run/*/resolv.conf) ;; *) return 1 ;; esac
  rest=${1#/var}; rest=${rest#/lib}; rest=${rest#/run}; rest=${rest#/}
  case ${rest%%/*} in containerd | containers | docker | crio | kubelet) [ ! -L "$1" ] ;; *) return 1 ;; esac
}

# takes TYPES VALUE...: hold each value to its form
takes() {
  types=$1
  shift
  [ "$types" != FILES ] || { files "$@"; return; }
  for type in $types; do
    [ "$#" -gt 0 ] || stop "$key takes: $types"
    "is_$type" "$1" || stop "$key: a value is no $type"
    shift
  done
  [ "$#" -eq 0 ] || stop "$key takes: ${types:-no value}"
}

files() {
  [ "$#" -gt 0 ] || stop "$key takes: FILES"
  for file in "$@"; do path "$file" || stop "$key: a value is no FILE"; done
}

# runs RIGHTS SECONDS COMMAND VALUE...: run the text of the table, which sees the values as "$1", "$2" and nothing else
runs() {
  rights=$1 seconds=$2 text=$3
  shift 3
  [ -z "$check" ] || exit 0
  case $rights:$(id -u) in
    root:0) ;;
    root:*)
      command -v sudo >/dev/null || { echo 'sudo: command not found'; exit 127; }
      exec sudo -n "$SBIN/@NAME@" "$key" "$@" ;;
    user:0) [ -z "${SUDO_UID:-}" ] || stop "$key needs no root: run it without sudo" ;;
  esac
  exec 4>&1
  status=$({ { env -i PATH="$PATH" LC_ALL=C HOME=/ timeout "$seconds" sh -c "$text" sh "$@" </dev/null 2>&1 3>&- 4>&-
    echo "$?" >&3; } | head -c @CAP@ >&4; } 3>&1)
  exit "${status:-70}"
}

list() {
  cat <<'END'
@LIST@
END
}

check=
case ${1:-} in
  --list) list; exit ;;
  --version) echo '@NAME@ @HASH@'; exit ;;
  --check) check=1; shift ;;
esac
key=${1:-}
of "$key" "$UPPER${DIGIT}_" 32 || stop 'give a key: see --list'
shift
case $key in @FILES_KEYS@) set -- $* ;; esac
case $key in
@TABLE@
*) stop "unknown key $key" ;;
esac
