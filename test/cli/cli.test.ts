import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { readArguments } from '../../src/cli/arguments.ts';
import { type CommandDefinition, commandOf, commands, shells } from '../../src/cli/command-table.ts';
import { completionScript } from '../../src/cli/completion.ts';
import { commandHelp, programHelp } from '../../src/cli/help.ts';
import { editDistance, nearest } from '../../src/cli/nearest.ts';
import { wrap } from '../../src/cli/wrap.ts';
import { version } from '../../src/common/version.ts';
import { bridgeSettings } from '../../src/config/bridge.ts';
import { commandLineSection } from '../../tools/generate/tables/command-line.ts';

const all: readonly CommandDefinition[] = commands;

/** The bundle, as a user calls it. */
function call(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [inject('bundle'), ...args], { env: {} }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe('the table', () => {
  it('has every command that there is, and no other', () => {
    const files = readdirSync('src/commands').map((file) => file.replace('.ts', ''));
    expect(files.filter((file) => !all.some(({ name }) => name === file))).toEqual([]);
  });
});

describe('the sidecar', () => {
  it('holds nothing of the command line', () => {
    const bundle = readFileSync(inject('bundle'), 'utf8');
    for (const text of ['Did you mean', commandOf('check').description, 'COMPREPLY', 'toJSONSchema'])
      expect(bundle).not.toContain(text);
  });
});

describe('help', () => {
  it.each([[['--help']], [['-h']], [['help']], [['help', '--help']]])('of the program: %j', async (args) => {
    expect(await call(...args)).toEqual({ code: 0, stdout: programHelp(), stderr: '' });
  });

  it.each(all.map((command) => [command.name, command] as const))('of %s', async (name, command) => {
    const expected = { code: 0, stdout: commandHelp(command), stderr: '' };
    if (name !== 'help') expect(await call(name, '--help')).toEqual(expected);
    expect(await call('help', name)).toEqual(expected);
    for (const option of command.options) expect(expected.stdout).toContain(`--${option.name}`);
  });

  it('names every variable of the bridge, with its default', () => {
    const help = commandHelp(commandOf('run'));
    for (const { variable, fallbacks, defaultText } of Object.values(bridgeSettings)) {
      for (const name of [variable, ...fallbacks]) expect(help).toContain(name);
      expect(help.replaceAll(/\s+/g, ' ')).toContain(defaultText === '' ? '' : `[default: ${defaultText}]`);
    }
  });

  it('fits a terminal of 80 columns', () => {
    for (const text of [programHelp(), ...all.map(commandHelp)])
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('and the version', async () => {
    expect(await call('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('what cannot be understood', () => {
  it.each([
    [['simulat'], "there is no command 'simulat'. Did you mean simulate?"],
    [['chekc'], "there is no command 'chekc'. Did you mean check?"],
    [['observe'], "there is no command 'observe'.\n"],
    [['--hepl'], 'there is no option "--hepl". Did you mean --help?'],
    [['run', '--interval', '5'], 'run has no option --interval.'],
    [['run', 'now'], 'run takes no argument "now".'],
    [['help', 'chek'], "there is no command 'chek'. Did you mean check?"],
    [['chek', '--help'], "there is no command 'chek'. Did you mean check?"],
    [['completion', 'bsh'], 'there is no completion for "bsh". Did you mean bash?'],
    [['completion'], 'Usage: ml-metrics-bridge completion bash|zsh|fish'],
    [['check', '--ouptut', 'json'], 'check has no option --ouptut. Did you mean --output?'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await call(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('arguments', () => {
  const read = (...args: readonly string[]) => readArguments(commandOf('check'), args);

  it('are options, short or long, and one that is none', () => {
    expect(read('-w', '--uid=5', '-o', 'json', 'file.json')).toEqual({
      options: { watch: true, uid: '5', output: 'json' },
      positionals: ['file.json'],
      problems: [],
    });
    expect(read('--', '--watch')).toMatchObject({ options: {}, positionals: ['--watch'] });
  });

  it('have all their problems listed', () => {
    const args = ['--watch=yes', '--output', 'jsn', '--gid=', '-x', 'a', 'b', '--uid', '--strict'];
    expect(read(...args).problems).toEqual([
      '--watch takes no value.',
      '--output is "jsn", expected text or json. Did you mean json?',
      '--gid needs a value: N[,N].',
      'check has no option -x.',
      '--uid needs a value: N.',
      'check takes one FILE, but was also given "b".',
    ]);
  });
});

describe('the nearest', () => {
  it.each([
    ['chekc', ['check', 'demo'], 'check'],
    ['sim', ['check', 'simulate'], 'simulate'],
    ['CHECK', ['check'], 'check'],
    ['xyz', ['check', 'demo'], undefined],
    ['', ['check'], undefined],
  ])('to %j of %j is %j', (written, candidates, expected) => {
    expect(nearest(written, candidates)).toBe(expected);
  });

  it('is by a distance that is one', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
    expect(['ab', 'abc', 'ac', 'ba'].map((it) => editDistance('ab', it))).toEqual([0, 1, 1, 1]);
  });
});

describe('completion', () => {
  const complete = (...words: readonly string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${completionScript('bash')}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ml_metrics_bridge; echo "\${COMPREPLY[*]}"`,
        'bash',
        'ml-metrics-bridge',
        ...words,
      ],
      { encoding: 'utf8' },
    ).trim();

  it.each([
    [['si'], 'simulate'],
    [['check', '--sc'], '--schema'],
    [['check', '-o', ''], 'text json'],
    [['simulate', '--fault', 's'], 'stall'],
    [['completion', ''], 'bash zsh fish'],
    [['help', 'de'], 'demo'],
    [['check', 'cur'], ''],
  ])('in bash of %j is %j', (words, expected) => {
    expect(complete(...words)).toBe(expected);
  });

  it.each(shells)('for %s is printed whole, and names everything', async (shell) => {
    const { code, stdout } = await call('completion', shell);
    expect({ code, stdout }).toEqual({ code: 0, stdout: completionScript(shell) });
    for (const { name, options } of all) {
      expect(stdout).toContain(name);
      for (const option of options) expect(stdout).toContain(option.name);
    }
  });
});

describe('text', () => {
  it('is wrapped without losing a word', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^\w{1,12}$/)),
        fc.integer({ min: 12, max: 40 }),
        (words, columns) => {
          const lines = wrap(words.join(' '), columns);
          expect(lines.join(' ')).toBe(words.join(' '));
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });

  it('of the README names every command and option', () => {
    const section = commandLineSection();
    for (const { name, options } of all) {
      expect(section).toContain(`| \`${name}\` |`);
      for (const option of options) expect(section).toContain(`--${option.name}`);
    }
  });
});
