# Asks bash, zsh and fish what they would offer at the end of a command line.
"""Each shell takes lines and returns what it offers for each, as a list of sets of words."""

import os
import pty
import select
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGING = os.path.join(HERE, "../../packaging")
SCRIPTS = {"bash": os.path.join(PACKAGING, "bash-completion/hawserctl"),
           "zsh": os.path.join(PACKAGING, "zsh-completion/_hawserctl"),
           "fish": os.path.join(PACKAGING, "fish-completion/hawserctl.fish")}
SECONDS = 120  # for all lines in one shell, on a busy machine under sanitizers

BASH = """source "$1"; shift
for line in "$@"; do
  read -ra COMP_WORDS <<<"$line"
  [[ $line == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _hawserctl
  printf '%s\\n' "${COMPREPLY[@]}" ,
done
"""

FISH = """source $argv[1]
for line in $argv[2..-1]
    complete -C $line
    echo ,
end
"""

# The line editor is given each line as it begins, completes it, and accepts an empty one. compadd
# is what every completion ends in; calls that only ask it what would fit are not meant.
ZSH = """fpath=(${HAWSER_SCRIPT:h} $fpath)
autoload -Uz compinit; compinit -D -u
unsetopt beep
lines=("${(@f)HAWSER_LINES}")
compadd() {
  if [[ " ${(j: :)@[1,(i)-]} " != *' '-[AOD]' '* ]]; then
    local -a found
    builtin compadd -O found "$@"
    print -rl -- $found >>$HAWSER_OUT
  fi
  builtin compadd "$@"
}
ask() {
  if (($#lines)); then
    BUFFER=$lines[1] CURSOR=$#lines[1]
    zle complete-word
    print , >>$HAWSER_OUT
    shift lines
    BUFFER=
  else
    BUFFER=exit
  fi
  zle accept-line
}
zle -N ask; zle -N zle-line-init ask
"""


def answers(text, lines):
    """The words offered for each line, one a row; a comma ends each answer, a tab each word."""
    found, words = [], set()
    for row in text.splitlines():
        word = row.split("\t")[0].strip()
        if word == ",":
            found.append(words)
            words = set()
        elif word:
            words.add(word)
    if len(found) != len(lines):
        raise RuntimeError(f"{len(found)} answers to {len(lines)} lines: {text[-500:]}")
    return found


def run(command, lines, environment, folder):
    done = subprocess.run([*command, *lines], capture_output=True, text=True, env=environment,
                          cwd=folder, timeout=SECONDS, check=False)
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"{command[0]} exits {done.returncode}: {done.stderr}")
    return answers(done.stdout, lines)


def bash(lines, environment, folder):
    return run(["bash", "--norc", "-c", BASH, "bash", SCRIPTS["bash"]], lines, environment, folder)


def fish(lines, environment, folder):
    return run(["fish", "--no-config", "-c", FISH, SCRIPTS["fish"]], lines, environment, folder)


def zsh(lines, environment, folder):
    """Its line editor wants a terminal, so it gets one."""
    out = os.path.join(folder, "zsh.out")
    with open(os.path.join(folder, ".zshrc"), "w", encoding="utf-8") as stream:
        stream.write(ZSH)
    environment = {**environment, "ZDOTDIR": folder, "HAWSER_SCRIPT": SCRIPTS["zsh"],
                   "HAWSER_LINES": "\n".join(lines), "HAWSER_OUT": out}
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvpe("zsh", ["zsh", "--no-global-rcs", "-i"], environment)
    said = drain(child, terminal)
    if not os.path.exists(out):
        raise RuntimeError(f"zsh says {said[-500:]!r}")
    with open(out, encoding="utf-8") as stream:
        return answers(stream.read(), lines)


def drain(child, terminal):
    """Reads what the child writes until it ends; it is ended when its time is over."""
    end, said = time.monotonic() + SECONDS, b""
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            said += os.read(terminal, 65536)
        except OSError:  # the terminal is gone with the shell
            break
    else:
        os.kill(child, signal.SIGKILL)
    os.close(terminal)
    os.waitpid(child, 0)
    return said
