import type { Argument, Command, Option } from 'commander';
import { exitCodesOf } from '../exit-codes.js';

const INTRODUCTION = [
  '# The command line',
  '',
  'This page lists every command of `behalf`, with its options and exit codes. `npm run docs` generates it from the commands,',
  'and a test fails if it is out of date. `npx behalf help COMMAND` prints the same for one command.',
  '',
  'A failure prints `CODE: message` on standard error; [errors.md](ERRORS) lists the codes. Where a command’s exit code',
  'is an answer (for CI), 0 and 1 are the two answers, and 2 means that there is no answer.',
];

/**
 * The page docs/reference/cli.md: every visible command with its arguments, options and exit codes.
 *
 * @param errorsPage path of the page of error codes, relative to the page
 */
export function cliReference(program: Command, errorsPage = 'errors.md'): string {
  const lines = INTRODUCTION.map((line) => line.replace('ERRORS', errorsPage));
  for (const command of leavesOf(program)) lines.push('', ...section(command));
  return `${lines.join('\n')}\n`;
}

/** The commands that do something, in the order of the help; groups such as `clients` only contain other commands. */
function leavesOf(command: Command): Command[] {
  const children = command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
  return children.length === 0 ? [command] : children.flatMap(leavesOf);
}

function section(command: Command): string[] {
  const help = command.createHelp();
  const codes = Object.entries(exitCodesOf(command));
  return [
    `## \`${fullName(command)}\``,
    '',
    sentence(help.commandDescription(command)),
    '',
    '```sh',
    help.commandUsage(command),
    '```',
    ...table('argument', command.registeredArguments.map(argumentRow)),
    ...table('option', help.visibleOptions(command).filter(isNotHelp).map(optionRow)),
    ...table(
      'exit code',
      codes.map(([code, meaning]) => ({ name: code, meaning, fallback: undefined })),
    ),
  ];
}

interface Row {
  readonly name: string;
  readonly meaning: string;
  readonly fallback: string | undefined;
}

/** A table without rows is left out; the column of defaults is there only for options. */
function table(title: string, rows: readonly Row[]): string[] {
  if (rows.length === 0) return [];
  const hasDefaults = title === 'option';
  const line = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    '',
    hasDefaults ? line(title, 'meaning', 'default') : line(title, 'meaning'),
    hasDefaults ? line('---', '---', '---') : line('---', '---'),
    ...rows.map(({ name, meaning, fallback }) => {
      const cells = [`\`${name}\``, escape(meaning)];
      return hasDefaults ? line(...cells, escape(fallback ?? '')) : line(...cells);
    }),
  ];
}

function argumentRow(argument: Argument): Row {
  const { argChoices, description, required } = argument;
  const choices =
    argChoices === undefined ? '' : `: ${argChoices.map((choice) => `\`${choice}\``).join(', ')}`;
  const label = required ? `<${argument.name()}>` : `[${argument.name()}]`;
  return { name: label, meaning: `${description}${choices}`, fallback: undefined };
}

/** Commander knows a default only where there is a value; elsewhere the description ends with it. */
function optionRow(option: Option): Row {
  const { argChoices, defaultValueDescription, flags, mandatory } = option;
  const defaultValue = option.defaultValue as string | number | boolean | undefined;
  const [, meaning = '', stated] = /^(.*?)(?: \(default: (.*)\))?$/.exec(option.description) ?? [];
  const choices =
    argChoices === undefined ? '' : `: ${argChoices.map((choice) => `\`${choice}\``).join(', ')}`;
  const known =
    defaultValueDescription ?? (defaultValue === undefined ? stated : `\`${String(defaultValue)}\``);
  return { name: flags, meaning: `${meaning}${choices}`, fallback: mandatory ? 'required' : known };
}

function isNotHelp({ long }: Option): boolean {
  return long !== '--help';
}

function fullName(command: Command): string {
  const parent = command.parent === null ? '' : `${fullName(command.parent)} `;
  return `${parent}${command.name()}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
