#!/bin/sh
# @about@ Needs this folder, wherever it stands, and /bin/sh.
case $0 in */*) file=$0 ;; *) file=./$0 ;; esac
program=$file
while [ -L "$file" ]; do
  target=$(readlink "$file")
  case $target in /*) file=$target ;; *) file=${file%/*}/$target ;; esac
done
here=$(CDPATH='' cd -- "${file%/*}" && pwd -P) || exit
. "$here/bin/environment.sh"
@start@
