// What nodes run: POSIX sh and coreutils, nothing else. Everything that varies comes as $1, $2... or by standard input,
// never as part of the text.

/** Exit codes of the scripts that say more than "failed". */
export const CODES = { missing: 3, short: 4, damaged: 5, link: 6, notDirectory: 7 } as const

/**
 * \`hash FILE\` puts the SHA-256 of a file into $sum. OpenSSL, where a node has it, uses what the processor has for that, and
 * takes a fifth of the time of coreutils.
 */
const HASH = `
hash() {
  { sum=$(openssl dgst -sha256 -r < "$1" 2> /dev/null) || sum=$(sha256sum < "$1"); } && sum=\${sum%% *}
}`

/** $1 home. Prints free bytes. */
export const READ_FREE = `
directory=$1
while [ ! -d "$directory" ]; do directory=$(dirname -- "$directory"); done
df -B1 --output=avail -- "$directory" | tail -n 1 || exit`

/**
 * $1 home. Prints free bytes, bytes of memory, then a line for each name that may be a generation, with its manifest,
 * which means the same without its line breaks, where it has one; then a line \`BYTES\tNAME\` for all that takes room of one,
 * and \`pieces\tNAME\` where relays have left some.
 */
export const INSPECT = `${READ_FREE}
while read -r key value unit; do [ "$key" = MemTotal: ] && echo "$((value * 1024))"; done < /proc/meminfo
[ -e "$1" ] || exit 0
cd -- "$1" || exit
for name in dg_*; do
  [ -e "$name" ] || continue
  manifest=$name/manifest.json
  text=$([ -L "$name" ] || [ -L "$manifest" ] || [ ! -f "$manifest" ] || tr -d '\\n' < "$manifest") || exit
  printf '%s %s\\n' "$name" "$text"
done
for name in dg_* .dg_*; do [ ! -e "$name" ] || du -s -B1 -- "$name" || :; done
for name in dg_*/clust_*; do [ ! -d "$name" ] || [ -L "$name" ] || printf 'shard\\t%s\\n' "$name"; done
for name in .dg_*.partial; do
  for file in "$name"/*.pieces "$name"/*/*.pieces; do [ ! -f "$file" ] || { printf 'pieces\\t%s\\n' "$name"; break; }; done
done`

/** $1 directory of a generation. Prints its manifest. */
export const READ_MANIFEST = `
[ ! -L "$1" ] || exit ${CODES.link}
[ -e "$1" ] || exit ${CODES.missing}
[ -d "$1" ] || exit ${CODES.notDirectory}
[ ! -f "$1/manifest.json" ] || [ -L "$1/manifest.json" ] || cat -- "$1/manifest.json"`

/**
 * $1 directory; reads lines \`bytes path\`. Prints a line for each path: \`link\`, \`other\`, \`missing\`, \`size BYTES\`,
 * \`whole SHA256\` for a plain file of that size, or \`part BYTES SHA256 NAME\` for the longest piece of one.
 */
export const SURVEY = `${HASH}
cd -- "$1" || exit
while read -r bytes path; do
  if [ -L "$path" ] || [ -L "\${path%/*}" ]; then echo link
  elif [ -f "$path" ]; then
    size=$(stat -c %s -- "$path") || exit
    if [ "$size" = "$bytes" ]; then hash "$path" || exit; echo "whole $sum"; else echo "size $size"; fi
  elif [ -e "$path" ]; then echo other
  else
    longest=0
    for piece in "$path".part-*; do
      [ -f "$piece" ] && [ ! -L "$piece" ] || continue
      size=$(stat -c %s -- "$piece") || exit
      if [ "$size" -gt "$longest" ] && [ "$size" -le "$bytes" ]; then longest=$size name=$piece; fi
    done
    if [ "$longest" = 0 ]; then echo missing; else hash "$name" || exit; echo "part $longest $sum $name"; fi
  fi
done`

/** $1 file, $2 bytes to leave out, $3 bytes to read. Prints these, or fewer where the file ends before. */
export const READ_RANGE = `
[ -f "$1" ] && [ ! -L "$1" ] && [ ! -L "\${1%/*}" ] || exit ${CODES.missing}
tail -c +$(($2 + 1)) -- "$1" | head -c "$3"`

/** $1 home, $2 generation; reads names of directories. Makes the directory that a delivery is put together in, with these. */
export const PREPARE = `
for path in "$1/$2" "$1/.$2.partial"; do [ ! -L "$path" ] || { echo "$path"; exit ${CODES.link}; }; done
[ ! -e "$1/.$2.partial" ] || [ -d "$1/.$2.partial" ] || rm -f -- "$1/.$2.partial" || exit
mkdir -p -- "$1/.$2.partial" && cd -- "$1/.$2.partial" || exit
while read -r name; do
  [ -d "$name" ] || { rm -f -- "$name" && mkdir -p -- "$name"; } || exit
done`

/**
 * $1 home, $2 generation; reads lines \`SHA256 path\`. Puts the files of it that stand sound under the final name into the
 * directory that a delivery is put together in, too: as links, so that they take no room.
 */
export const SALVAGE = `${HASH}
final=$1/$2 partial=$1/.$2.partial
[ -d "$final" ] && [ ! -L "$final" ] || exit 0
while read -r expected path; do
  from=$final/$path to=$partial/$path
  [ -f "$from" ] && [ ! -L "$from" ] && [ ! -L "\${from%/*}" ] || continue
  [ ! -e "$to" ] && [ ! -L "$to" ] && [ ! -L "\${to%/*}" ] || continue
  hash "$from" || exit
  [ "$sum" = "$expected" ] || continue
  ln -- "$from" "$to" || exit
done`

/**
 * $1 home, $2 generation, $3 another one; reads lines \`SHA256 path\`. Where all of these stand sound in the other one, puts
 * them together anew for a delivery: as links, so that they take no room and no time.
 */
export const ADOPT = `${HASH}
from=$1/$3 partial=$1/.$2.partial
[ -d "$from" ] && [ ! -L "$from" ] || exit ${CODES.missing}
set --
while read -r expected path; do
  [ -f "$from/$path" ] && [ ! -L "$from/$path" ] && [ ! -L "$from/\${path%/*}" ] || exit ${CODES.damaged}
  hash "$from/$path" || exit
  [ "$sum" = "$expected" ] || exit ${CODES.damaged}
  set -- "$@" "$path"
done
rm -rf -- "$partial" && mkdir -p -- "$partial" || exit
for path do
  mkdir -p -- "$(dirname -- "$partial/$path")" && ln -- "$from/$path" "$partial/$path" || exit
done`

/**
 * $1 file to be, $2 its bytes, $3 its SHA-256, $4 the name it has until it is whole, $5 bytes to begin with, $6 the
 * piece that has them; reads the rest. The piece is copied, not continued: a writer of a connection that was given up
 * may still hold it. Makes no directory: one that starts late must not bring back what was given up.
 */
export const RECEIVE = `${HASH}
set -C
{ [ "$5" = 0 ] || head -c "$5" -- "$6"; } > "$4" && cat >> "$4" || exit
[ "$(stat -c %s -- "$4")" = "$2" ] || exit ${CODES.short}
sync -- "$4" & syncing=$!
hash "$4" || exit
wait "$syncing" || exit
[ "$sum" = "$3" ] || { echo "$sum"; rm -f -- "$4"; exit ${CODES.damaged}; }
mv -fT -- "$4" "$1" || exit
[ "$5" = 0 ] || rm -f -- "$6"`

/**
 * $1 home, $2 generation, $3 name of what stood there; reads the names that belong to it, each between two slashes.
 * Deletes what does not belong, then gives the directory its final name.
 */
export const PUBLISH = `
final=$1/$2 partial=$1/.$2.partial
expected=$(cat)
cd -- "$partial" || exit
for name in * .[!.]* ..?* */* */.[!.]* */..?*; do
  [ -e "$name" ] || [ -L "$name" ] || continue
  case $expected in *"//$name//"*) ;; *) rm -rf -- "$name" || exit ;; esac
done
case $(echo */) in '*/') sync -- . ;; *) sync -- */ . ;; esac || exit
if [ -e "$final" ] || [ -L "$final" ]; then mv -T -- "$final" "$3" || exit; fi
mv -T -- "$partial" "$final" || exit
sync -- "$1" || exit
rm -rf -- "$1/.$2."*`

/** $1 home, $2 generation, $3 name that it is deleted under: half deleted, it is never seen under its own. */
export const REMOVE = `
[ -d "$1" ] || exit 0
if [ -e "$1/$2" ] || [ -L "$1/$2" ]; then mv -T -- "$1/$2" "$3" && sync -- "$1" || exit; fi
rm -rf -- "$1/.$2."*`

/** $1 home, $2 generation. Deletes what a delivery has put together. */
export const DISCARD = `rm -rf -- "$1/.$2.partial"`
