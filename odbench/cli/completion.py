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
    from click.shell_completion import get_completion_class

    from odbench.cli import cli

    if shell == "bash":
        click.echo(_BASH, nl=False)
        return
    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, "odbench", "_ODBENCH_COMPLETE").source())
