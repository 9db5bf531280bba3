# type.zsh COMPLETIONS KEYS: types the keys (\t for tab) into an interactive zsh on a terminal and
# prints the line it has then. Works in $ZDOTDIR, which gets a few files.
print -r -- "
    PS1=
    fpath=(${(q)1} \$fpath)
    autoload -U compinit && compinit -u -d \$ZDOTDIR/zcompdump
    show() { print -r -- \$BUFFER >\$ZDOTDIR/line; exit }
    zle -N show && bindkey '^X' show
    # What is typed before the line editor is there is not completed.
    zle-line-init() { print -n 'rea''dy' }
    zle -N zle-line-init
" >$ZDOTDIR/.zshrc
zmodload zsh/zpty
zpty shell zsh -d -i
zpty -r shell output '*ready*'
zpty -n -w shell "${(g::)2}"$'\x18'
while zpty -r shell output; do :; done
cat $ZDOTDIR/line
