# What the programs of this folder share, for /bin/sh and nothing else: sourced with `here`, the folder, set. Nothing that is set already is changed.

if ! [ -e /lib64/ld-linux-x86-64.so.2 ]; then
  echo "${0##*/}: this bundle is for 64-bit x86 Linux with glibc, and there is no /lib64/ld-linux-x86-64.so.2" >&2
  exit 1
fi

# has_library NAME: whether programs here find a library without us
has_library() (
  set -f
  IFS=:
  for folder in $LD_LIBRARY_PATH /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64 /lib /usr/lib; do
    [ -e "$folder/$1" ] && exit 0
  done
  exit 1
)

# the Vulkan loader and what drivers are linked with, where the system has none of its own
libraries=
for place in "$here"/lib/*.so.*; do
  [ -d "$place" ] && ! has_library "${place##*/}" && libraries=$libraries:$place
done
# NVIDIA's libraries, where a container mounts them
[ -d /usr/local/nvidia/lib64 ] && libraries=$libraries:/usr/local/nvidia/lib64
if [ -n "$libraries" ]; then
  libraries=${libraries#:}
  export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$libraries"
fi

# NVIDIA's manifest, where it lies outside of the loader's search path
if [ -z "$VK_DRIVER_FILES$VK_ICD_FILENAMES$VK_ADD_DRIVER_FILES" ]; then
  for place in /etc/vulkan/icd.d /usr/share/vulkan/icd.d /usr/local/share/vulkan/icd.d /usr/local/nvidia/share/vulkan/icd.d; do
    [ -e "$place/nvidia_icd.json" ] || continue
    if [ "$place" = /usr/local/nvidia/share/vulkan/icd.d ]; then
      export VK_DRIVER_FILES="$place/nvidia_icd.json"
      vendor=/usr/local/nvidia/share/glvnd/egl_vendor.d/10_nvidia.json
      [ -e "$vendor" ] && export __EGL_VENDOR_LIBRARY_FILENAMES="${__EGL_VENDOR_LIBRARY_FILENAMES:-$vendor}"
    fi
    break
  done
fi

# a user without a home keeps caches with temporary files
export HOME="${HOME:-${TMPDIR:-/tmp}}"
# drivers ask for it
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}"

# one thread for each processor decodes pictures; Node's own number is 4
if [ -z "$UV_THREADPOOL_SIZE" ]; then
  processors=$(nproc 2>/dev/null) || processors=$(
    count=0
    while read -r key rest; do [ "$key" = processor ] && count=$((count + 1)); done </proc/cpuinfo
    echo $count
  )
  [ "$processors" -gt 4 ] && export UV_THREADPOOL_SIZE="$processors"
fi

export PATH="$here/bin${PATH:+:$PATH}"
