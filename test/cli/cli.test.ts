import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { readArguments } from '../../src/cli/arguments.ts';
import type { CommandDefinition } from '../../src/cli/command.ts';
import { completionScript, shells } from '../../src/cli/completion.ts';
import { commandHelp, programHelp } from '../../src/cli/help.ts';
import { editDistance, nearest } from '../../src/cli/suggestion.ts';
import { wrap } from '../../src/cli/wrap.ts';
import { version } from '../../src/common/version.ts';
import { bridgeSettings } from '../../src/config/bridge.ts';
import { commandLineSection } from '../../tools/generate/tables/command-line.ts';
import { temporaryFolder } from '../support/file.ts';
import { commandLine, commandRows } from '../support/terminal.ts';

const all = commandRows;
const rowOf = (name: string) => all.find((it) => it.name === name) as CommandDefinition;

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
    const files = readdirSync('src/commands')
      .filter((file) => file !== 'command-line.ts')
      .map((file) => file.replace('.ts', ''));
    expect(files.filter((file) => !all.some(({ name }) => name === file))).toEqual([]);
  });
});

describe('the sidecar', () => {
  it('holds nothing of the command line', () => {
    const bundle = readFileSync(inject('bundle'), 'utf8');
    for (const text of ['Did you mean', rowOf('check').description, 'COMPREPLY', 'toJSONSchema'])
      expect(bundle).not.toContain(text);
  });
});

describe('help', () => {
  it.each([[['--help']], [['-h']], [['help']], [['help', '--help']]])('of the program: %j', async (args) => {
    expect(await call(...args)).toEqual({ code: 0, stdout: programHelp(all), stderr: '' });
  });

  it.each(all.map((command) => [command.name, command] as const))('of %s', async (name, command) => {
    const expected = { code: 0, stdout: commandHelp(command), stderr: '' };
    if (name !== 'help') expect(await call(name, '--help')).toEqual(expected);
    expect(await call('help', name)).toEqual(expected);
    for (const option of command.options) expect(expected.stdout).toContain(`--${option.name}`);
  });

  it('names every variable of the bridge, with its default', () => {
    const help = commandHelp(rowOf('run'));
    for (const { variable, fallbacks, defaultText } of Object.values(bridgeSettings)) {
      for (const name of [variable, ...fallbacks]) expect(help).toContain(name);
      expect(help.replaceAll(/\s+/g, ' ')).toContain(defaultText === '' ? '' : `[default: ${defaultText}]`);
    }
  });

  it('fits a terminal of 80 columns', () => {
    for (const text of [programHelp(all), ...all.map(commandHelp)])
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('and the version', async () => {
    expect(await call('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('what cannot be understood', () => {
  it.each([
    [['simulat'], 'unknown command "simulat". Did you mean simulate?'],
    [['chekc'], 'unknown command "chekc". Did you mean check?'],
    [['observe'], 'unknown command "observe".\n'],
    [['--hepl'], 'unknown option --hepl. Did you mean --help?'],
    [['run', '--interval', '5'], 'unknown option --interval.'],
    [['run', 'now'], 'unexpected argument "now".'],
    [['help', 'chek'], 'unknown command "chek". Did you mean check?'],
    [['chek', '--help'], 'unknown command "chek". Did you mean check?'],
    [['completion', 'bsh'], 'SHELL is "bsh", expected bash, zsh or fish. Did you mean bash?'],
    [['completion'], 'SHELL is missing: bash, zsh or fish.'],
    [['check', '--ouptut', 'json'], 'unknown option --ouptut. Did you mean --output?'],
    [['simulate', '--sed', '3'], 'unknown option --sed. Did you mean --seed?'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await call(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

it.each(all)('$name refuses an option that does not exist', async ({ name }) => {
  const { code, text, errors } = await commandLine([name, '--no-such-option']);
  expect({ code, text }).toEqual({ code: 2, text: '' });
  const [first, ...others] = errors.trimEnd().split('\n');
  expect(first).toBe(`ml-metrics-bridge ${name}: unknown option --no-such-option.`);
  expect(others.at(-1)).toBe(`See ml-metrics-bridge ${name} --help.`);
});

describe('standard output', () => {
  const shell = (command: string) =>
    spawnSync('bash', ['--norc', '-c', `set -o pipefail; ${command}`], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, program: `${process.execPath} ${inject('bundle')}` },
    });

  it.each(['demo', 'check --schema', 'completion fish', '--help'])(
    'of %s may be closed before its end',
    (args) => {
      const { status, stdout, stderr } = shell(`$program ${args} | head -c 20`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toHaveLength(20);
    },
  );

  /** Its output is longer than the 64 KiB that a pipe holds. */
  function injectOfMany(): string {
    const file = join(temporaryFolder(), 'many.yaml');
    writeFileSync(file, '---\napiVersion: v1\nkind: Pod\nspec: {containers: [{name: a}]}\n'.repeat(300));
    return `$program inject ${file}`;
  }

  it('of more than a pipe holds is complete if its reader is slow', () => {
    const command = injectOfMany();
    const { stdout: whole } = shell(`${command} | cat`);
    expect(whole.length).toBeGreaterThan(300_000);
    const { status, stdout, stderr } = shell(`${command} | { head -c 1000; sleep 1; cat; }`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.length).toBe(whole.length);
    expect(stdout === whole).toBe(true);
  });

  it('of more than a pipe holds may be closed before its end', () => {
    const { status, stdout, stderr } = shell(`${injectOfMany()} | head -c 20`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toHaveLength(20);
  });

  it('that cannot be written is an error', () => {
    const { status, stderr } = shell('$program check --schema > /dev/full');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ml-metrics-bridge: cannot write to standard output: ENOSPC.*\n$/);
  });
});

describe('arguments', () => {
  const read = (...args: readonly string[]) => readArguments(rowOf('check'), args);

  it('are options, short or long, and one that is none', () => {
    expect(read('-w', '--uid=5', '-o', 'json', 'file.json')).toEqual({
      options: { watch: true, uid: '5', output: 'json' },
      positionals: ['file.json'],
      problems: [],
    });
    // An option is never the value of the one before it.
    expect(readArguments(rowOf('simulate'), ['--fault', '--seed', '3'])).toEqual({
      options: { seed: '3' },
      positionals: [],
      problems: ['--fault needs a value: torn, nan, stall or crash.'],
    });
    expect(read('-o', '-w', '-')).toMatchObject({ options: { watch: true }, positionals: ['-'] });
    expect(read('--', '--watch')).toMatchObject({ options: {}, positionals: ['--watch'] });
  });

  it('have all their problems listed', () => {
    const args = ['--watch=yes', '--output', 'jsn', '--gid=', 'a', 'b', '-x', 'c', '--uid', '--strict'];
    expect(read(...args).problems).toEqual([
      '--watch takes no value.',
      '--output is "jsn", expected text or json. Did you mean json?',
      '--gid needs a value: N[,N].',
      'unknown option -x.',
      '--uid needs a value: N.',
      'expected one FILE, but was also given "b".',
    ]);
  });
});

it('what follows an unknown option is not a second error', () => {
  expect(readArguments(rowOf('check'), ['--unknown', 'x', 'FILE'])).toMatchObject({
    positionals: ['FILE'],
    problems: ['unknown option --unknown.'],
  });
});

describe('the nearest', () => {
  it.each([
    ['chekc', ['check', 'demo'], 'check'],
    ['sim', ['check', 'simulate'], 'simulate'],
    ['CHECK', ['check'], 'check'],
    ['metrics', ['job_metadata', 'training_metrics'], 'training_metrics'],
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
        `${completionScript('bash', all)}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ml_metrics_bridge; echo "\${COMPREPLY[*]}"`,
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
    expect({ code, stdout }).toEqual({ code: 0, stdout: completionScript(shell, all) });
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
