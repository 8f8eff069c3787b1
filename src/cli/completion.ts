import { type CommandDefinition, helpOption, type OptionDefinition, programName } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

type Commands = readonly CommandDefinition[];

/** A script that completes commands, options and choices, and file names for all other values. */
export function completionScript(shell: Shell, commands: Commands): string {
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

const namesOf = (commands: Commands) => commands.map(({ name }) => name).join(' ');
const optionsOf = ({ options }: CommandDefinition) => [...options, helpOption];
const spellings = ({ name, short }: OptionDefinition) => [`--${name}`, ...(short ? [`-${short}`] : [])];
/** Words that the command accepts as its argument. */
const wordsOf = ({ name, positional }: CommandDefinition, commands: Commands) =>
  name === 'help' ? namesOf(commands) : (positional?.choices ?? []).join(' ');

function bash(commands: Commands): string {
  const cases = commands.flatMap((command) => [
    ...command.options
      .filter(({ choices }) => choices !== undefined)
      .map((option) => {
        const patterns = spellings(option)
          .map((it) => `'${command.name} ${it}'`)
          .join('|');
        return `      ${patterns}) words='${option.choices?.join(' ')}' ;;`;
      }),
  ]);
  const options = commands.map((command) => {
    const flags = optionsOf(command)
      .map(({ name }) => `--${name}`)
      .join(' ');
    return `      ${command.name}' '-*) words='${flags}' ;;\n      ${command.name}' '*) words='${wordsOf(command, commands)}' ;;`;
  });
  return `# Completion of ${programName} for bash: source <(${programName} completion bash)
_ml_metrics_bridge() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" words=''
  local command="\${COMP_WORDS[1]}"
  if ((COMP_CWORD == 1)); then
    words='${namesOf(commands)} --help --version'
  else
    case "$command $previous" in
${cases.join('\n')}
      *) case "$command $current" in
${options.map((line) => line.replaceAll(/^ {6}/gm, '        ')).join('\n')}
      esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ml_metrics_bridge ${programName}
`;
}

/** Escapes a text for a single-quoted argument of _arguments. */
const zshText = (text: string) => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&');

function zsh(commands: Commands): string {
  const described = commands.map(({ name, summary }) => `    '${name}:${zshText(summary)}'`);
  const branches = commands.map((command) => {
    const specs = optionsOf(command).flatMap((option) =>
      spellings(option).map((spelling) => `'${spelling}[${zshText(option.description)}]${zshValue(option)}'`),
    );
    const words = wordsOf(command, commands);
    const positional =
      command.positional === undefined
        ? []
        : [`'${command.positional.repeated ? '*' : '1'}: :${words === '' ? '_files' : `(${words})`}'`];
    return `    ${command.name}) _arguments ${[...specs, ...positional].join(' \\\n      ')} ;;`;
  });
  return `#compdef ${programName}
# Completion of ${programName} for zsh: save it in a directory of $fpath as _${programName}
_ml_metrics_bridge() {
  local -a commands=(
${described.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  ((CURRENT--))
  case "$command" in
${branches.join('\n')}
  esac
}
# A sourced script registers its function; one in $fpath is called directly.
if [[ "$funcstack[1]" = _${programName} ]]; then
  _ml_metrics_bridge "$@"
else
  compdef _ml_metrics_bridge ${programName}
fi
`;
}

function zshValue({ name, argument, choices }: OptionDefinition): string {
  if (choices !== undefined) return `:${name}:(${choices.join(' ')})`;
  return argument === undefined ? '' : `:${zshText(argument)}:_files`;
}

const fishText = (text: string) => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");

function fish(commands: Commands): string {
  const lines = commands.flatMap((command) => {
    const here = `complete -c ${programName} -n '__fish_seen_subcommand_from ${command.name}'`;
    const words = wordsOf(command, commands);
    return [
      `complete -c ${programName} -n __fish_use_subcommand -f -a ${command.name} -d '${fishText(command.summary)}'`,
      ...(words === '' ? [] : [`${here} -f -a '${words}'`]),
      ...optionsOf(command).map(
        (option) => `${here} ${fishOption(option)} -d '${fishText(option.description)}'`,
      ),
    ];
  });
  return `# Completion of ${programName} for fish: ${programName} completion fish | source\n${lines.join('\n')}\n`;
}

function fishOption({ name, short, argument, choices }: OptionDefinition): string {
  const value = choices ? ` -x -a '${choices.join(' ')}'` : argument === undefined ? '' : ' -r';
  return `-l ${name}${short === undefined ? '' : ` -s ${short}`}${value}`;
}
