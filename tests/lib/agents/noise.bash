# shellcheck shell=bash
# noise.bash: what may stand in a stream besides the program's lines: colours, NUL, bytes that are no UTF-8, lines that are no
# JSON or JSON of another kind, a very long line, and words on stderr.
printf 'npm warn something is old\n\e[31mERROR\e[0m not really: 429, usage limit, 401 Unauthorized\n\0\n' >&2
printf '\e[1mplain text\e[0m\n\0{"type":"turn.failed"}\n\xff\xfe{"type"\n{"type":"new.kind","error":{"message":"unknown to everybody"}}\n[1,2]\n"text"\nnull\n\n'
printf '{"type":"new.kind","text":"'
head -c 1000000 /dev/zero | tr '\0' x
printf '"}\n'
