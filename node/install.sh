#!/bin/sh
# install.sh [--capture] 'ssh-ed25519 AAAA... kubewhy'  (or the file that holds this public key)
#
# Lets kubewhy read this node and nothing else: a user without password whose key runs kubewhy-shell alone, and sudo for
# kubewhy-collect alone. Running it again brings everything to this state. --capture adds kubewhy-capture: packet headers
# and sockets of pods. FROM=10.0.0.0/8 lets the key in from there only; LOGIN, HOME_DIR, PREFIX and SUDOERS move things.
# sudo and OpenSSH 7.2 or newer must be there.
set -fu
LOGIN=${LOGIN:-kubewhy}
HOME_DIR=${HOME_DIR:-/home/$LOGIN}
PREFIX=${PREFIX:-/usr/local}
SUDOERS=${SUDOERS:-/etc/sudoers.d/$LOGIN}
FROM=${FROM:-}
HERE=$(cd "$(dirname "$0")" && pwd)
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022

say() { printf 'kubewhy install: %s\n' "$1"; }
fail() { printf 'kubewhy install: %s\n' "$1" >&2; exit 1; }
must() { "$@" || fail "failed: $*"; }

check() {
  [ "$(id -u)" = 0 ] || fail 'run this as root'
  command -v sudo >/dev/null && command -v visudo >/dev/null || fail 'sudo is not installed (package sudo)'
  for program in timeout head tr env readlink; do
    command -v "$program" >/dev/null || fail "no $program here (package coreutils)"
  done
  for file in kubewhy-collect kubewhy-capture kubewhy-shell sudoers.d-kubewhy sudoers.d-kubewhy-capture; do
    [ -r "$HERE/$file" ] || fail "$HERE/$file is missing: copy the whole folder"
  done
  for word in "$LOGIN" "$PREFIX" "$HOME_DIR" "$SUDOERS" "x$FROM"; do
    case $word in '' | *[!A-Za-z0-9/._:,*-]*) fail 'LOGIN, PREFIX, HOME_DIR, SUDOERS or FROM holds a strange character' ;; esac
  done
}

# The key's own options are refused: ours are in front of it.
read_key() {
  key=$1
  [ ! -f "$1" ] || key=$(cat "$1")
  case $key in
    *'
'*) fail 'the public key must be one line' ;;
    ssh-ed25519\ AAAA* | ssh-rsa\ AAAA* | ecdsa-sha2-*\ AAAA* | sk-*\ AAAA*) ;;
    *) fail "give one public key, like 'ssh-ed25519 AAAA... kubewhy', or the file that holds it" ;;
  esac
  new=$(mktemp) || fail "no temporary file can be made in ${TMPDIR:-/tmp}"
  printf '%s\n' "$key" >"$new"
  ssh-keygen -l -f "$new" >/dev/null 2>&1 || { rm -f "$new"; fail 'ssh-keygen cannot read the public key'; }
  rm -f "$new"
}

# put FILE TARGET MODE: replaces in one step, with this installation's paths and user
put() {
  must mkdir -p "$(dirname "$2")"
  new=$(dirname "$2")/.kubewhy-new.$$
  sed -e "s|^SBIN=.*|SBIN=$PREFIX/sbin|" -e "s|NOPASSWD: /usr/local/sbin/|NOPASSWD: $PREFIX/sbin/|" \
    -e "s|^kubewhy |$LOGIN |" -e "s|^Defaults:kubewhy |Defaults:$LOGIN |" "$HERE/$1" >"$new" || fail "cannot write $new"
  must chown 0:0 "$new"
  must chmod "$3" "$new"
  case $1 in sudoers*) visudo -cf "$new" >/dev/null || { rm -f "$new"; fail 'visudo refuses the sudoers file; nothing was put there'; } ;; esac
  must mv -f "$new" "$2"
  say "wrote $2"
}

# sshd runs a forced command with the login shell, so that has to be a real one; '*' is no password and not a locked user.
user() {
  if id "$LOGIN" >/dev/null 2>&1; then
    grep -q "^$LOGIN:[^:]*:[1-9][0-9]*:[^:]*:[^:]*:$HOME_DIR:" /etc/passwd ||
      fail "user $LOGIN is there and is root, or its home is not $HOME_DIR: set HOME_DIR, or LOGIN for another user"
    ! command -v usermod >/dev/null || must usermod --shell /bin/sh --password '*' "$LOGIN"
    say "user $LOGIN is there; it has no password now"
  elif command -v useradd >/dev/null; then
    must useradd --system --user-group --no-create-home --home-dir "$HOME_DIR" --shell /bin/sh --password '*' "$LOGIN"
    say "made user $LOGIN without password"
  else
    must adduser -S -D -H -h "$HOME_DIR" -s /bin/sh "$LOGIN"
    echo "$LOGIN:*" | chpasswd -e >/dev/null 2>&1 || fail 'cannot take the password away'
    say "made user $LOGIN without password"
  fi
  grep -q '^systemd-journal:' /etc/group || return 0
  if command -v usermod >/dev/null; then must usermod -a -G systemd-journal "$LOGIN"; else must addgroup "$LOGIN" systemd-journal; fi
  say "$LOGIN is in group systemd-journal"
}

# Owned by root, so that the user cannot change what its own key may do.
authorize() {
  must mkdir -p "$HOME_DIR/.ssh"
  must chown 0:0 "$HOME_DIR" "$HOME_DIR/.ssh"
  must chmod 755 "$HOME_DIR" "$HOME_DIR/.ssh"
  [ ! -e "$HOME_DIR/.ssh/authorized_keys2" ] || fail "$HOME_DIR/.ssh/authorized_keys2 lets other keys in: remove it first"
  new=$HOME_DIR/.ssh/.new.$$
  printf 'restrict,%scommand="%s" %s\n' "${FROM:+from=\"$FROM\",}" "$PREFIX/sbin/kubewhy-shell" "$key" >"$new" || fail "cannot write $new"
  must chmod 644 "$new"
  must mv -f "$new" "$HOME_DIR/.ssh/authorized_keys"
  ! command -v restorecon >/dev/null || restorecon -R "$HOME_DIR"
  say "wrote $HOME_DIR/.ssh/authorized_keys: the key runs $PREFIX/sbin/kubewhy-shell alone"
}

capture=
[ "${1:-}" != --capture ] || { capture=1; shift; }
[ $# -eq 1 ] || fail "usage: install.sh [--capture] 'ssh-ed25519 AAAA... kubewhy'"
check
read_key "$1"
user
put kubewhy-collect "$PREFIX/sbin/kubewhy-collect" 755
put kubewhy-shell "$PREFIX/sbin/kubewhy-shell" 755
put sudoers.d-kubewhy "$SUDOERS" 440
if [ -n "$capture" ]; then
  put kubewhy-capture "$PREFIX/sbin/kubewhy-capture" 755
  put sudoers.d-kubewhy-capture "$SUDOERS-capture" 440
else
  [ ! -e "$PREFIX/sbin/kubewhy-capture" ] || say 'removing kubewhy-capture: --capture was not given'
  rm -f "$PREFIX/sbin/kubewhy-capture" "$SUDOERS-capture"
fi
authorize
must visudo -c >/dev/null
say "done: $("$PREFIX/sbin/kubewhy-collect" --version). Set ssh.collector: true and ssh.user: $LOGIN for this cluster."
