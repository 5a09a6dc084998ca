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
  if command -v userdel >/dev/null; then userdel "$LOGIN"; else deluser "$LOGIN"; fi || fail "cannot remove user $LOGIN"
  say "removed user $LOGIN"
fi
say done
