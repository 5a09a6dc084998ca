#!/bin/sh
# uninstall.sh: takes away what install.sh put on this node; running it again does nothing. Give it the same LOGIN, HOME_DIR,
# PREFIX and SUDOERS, if they were given.
set -fu
LOGIN=${LOGIN:-kubewhy}
HOME_DIR=${HOME_DIR:-/home/$LOGIN}
PREFIX=${PREFIX:-/usr/local}
SUDOERS=${SUDOERS:-/etc/sudoers.d/$LOGIN}
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { printf 'kubewhy uninstall: %s\n' "$1"; }
fail() { printf 'kubewhy uninstall: %s\n' "$1" >&2; exit 1; }

# The way in goes first, the rights next, the programs last.
gone() {
  [ -e "$1" ] || return 0
  rm -f "$1" || fail "cannot remove $1"
  say "removed $1"
}

[ "$(id -u)" = 0 ] || fail 'run this as root'
gone "$HOME_DIR/.ssh/authorized_keys"
gone "$SUDOERS"
gone "$SUDOERS-capture"
for program in shell collect capture; do gone "$PREFIX/sbin/kubewhy-$program"; done
for folder in "$HOME_DIR/.ssh" "$HOME_DIR"; do
  [ ! -d "$folder" ] || rmdir "$folder" 2>/dev/null || say "left $folder: it is not empty"
done
if id "$LOGIN" >/dev/null 2>&1; then
  remove=deluser
  ! command -v userdel >/dev/null || remove=userdel
  tries=0
  until "$remove" "$LOGIN" 2>/dev/null; do
    [ "$tries" -lt 5 ] || fail "cannot remove user $LOGIN: does it still run something?"
    [ "$tries" -gt 0 ] || say "ending what $LOGIN still runs"
    ! command -v pkill >/dev/null || pkill -KILL -u "$LOGIN"
    tries=$((tries + 1))
    sleep 1
  done
  say "removed user $LOGIN"
fi
say done
