"""`odbench completion`: print the script that makes a shell complete odbench."""

from __future__ import annotations

import click

# bash splits words at colons and equal signs, which detectors contain; the script
# takes the words of the line instead, and gives back the part that bash lacks.
_BASH = """\
_odbench_completion() {
    local line="${COMP_LINE:0:COMP_POINT}" word="${COMP_WORDS[COMP_CWORD]}"
    local words current prefix completion type value
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    current="${words[${#words[@]}-1]}"
    if [[ $word == : || $word == = ]]; then prefix="$current"
    else prefix="${current%"$word"}"; fi
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("${value#"$prefix"}") ;;
        esac
    done < <(COMP_WORDS="$line" COMP_CWORD=$((${#words[@]}-1)) \\
        _ODBENCH_COMPLETE=bash_complete "${words[0]}" 2>/dev/null)
    [[ ${COMPREPLY[0]} == *[=/] ]] && compopt -o nospace
    return 0
}
complete -o nosort -F _odbench_completion odbench
"""
# Values contain commas, so that only the first comma of an answer ends its type.
_FISH = """\
function _odbench_completion
    set -lx _ODBENCH_COMPLETE fish_complete
    set -lx COMP_WORDS (commandline -cp)
    set -lx COMP_CWORD (commandline -t)
    for answer in (odbench 2>/dev/null)
        set -l parts (string split --max 1 , -- $answer)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo -- $parts[2]
        end
    end
end
complete --no-files --command odbench --arguments "(_odbench_completion)"
"""
_SCRIPTS = {"bash": _BASH, "fish": _FISH}
_SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(*, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options and names.

    \b
    bash: eval "$(odbench completion bash)"          in ~/.bashrc
    zsh:  eval "$(odbench completion zsh)"           in ~/.zshrc
    fish: odbench completion fish > ~/.config/fish/completions/odbench.fish
    """  # noqa: D301 - click's own mark for "do not wrap"
    from click.shell_completion import ZshComplete

    from odbench.cli import cli

    zsh = ZshComplete(cli, {}, "odbench", "_ODBENCH_COMPLETE")
    click.echo(_SCRIPTS.get(shell) or zsh.source(), nl=False)
