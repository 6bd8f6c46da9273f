import { userInfo } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import { defaultDataDir, type Environment } from './data-dir.js';

/** Options that several commands share. */
export function dataOption(env: Environment): Option {
  return new Option(
    '--data <folder>',
    'data folder of a running Behalf, whose database is used when DATABASE_URL is not set',
  ).default(defaultDataDir(env), 'BEHALF_DATA, or .behalf');
}

export function reasonOption(): Option {
  return new Option('--reason <text>', 'why; recorded in the log').argParser(parseText).makeOptionMandatory();
}

/** Who runs the command. It proves nothing, but tells colleagues whom to ask. */
export function operatorOption(): Option {
  return new Option('--by <name>', 'who does it; recorded in the log')
    .argParser(parseText)
    .default(userInfo().username, 'the user of the operating system');
}

export function waitOption(): Option {
  return new Option('--wait', 'wait up to 30 seconds until every gateway enforces it').default(false);
}

export function formatOption(): Option {
  return new Option('--format <format>', 'output for people or for programs')
    .choices(['human', 'json'])
    .default('human');
}

export function coverageOption(): Option {
  return new Option(
    '--coverage <coverage>',
    'whether a field without a rule is closed, as in the gateway’s authorization.coverage',
  )
    .choices(['open', 'required'])
    .default('open');
}

/** @throws InvalidArgumentError */
export function parseCount(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError('must be a whole number above 0');
}

const MAX_PORT = 65_535;

/** @throws InvalidArgumentError */
export function parsePort(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= MAX_PORT) return number;
  throw new InvalidArgumentError(`must be a whole number from 0 to ${MAX_PORT}`);
}

/** @throws InvalidArgumentError */
export function parseText(value: string): string {
  if (value.trim() !== '') return value;
  throw new InvalidArgumentError('must not be empty');
}

const TIME = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/** @throws InvalidArgumentError */
export function parseTime(value: string): Date {
  const time = new Date(value);
  const [, day] = TIME.exec(value) ?? [];
  if (day !== undefined && isDay(day) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('must be a day or a time, such as 2026-11-30 or 2026-11-30T12:00:00Z');
}

/** JavaScript takes the 30th of February for a day in March. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws InvalidArgumentError */
export function parseTransaction(value: string): string {
  if (UUID.test(value)) return value;
  throw new InvalidArgumentError('must be the behalf-transaction of a response, a UUID');
}

/** Names separated by commas or white space. */
export function parseNames(value: string): string[] {
  return value.split(/[\s,]+/).filter((word) => word !== '');
}

/** Levels by category or field. @throws InvalidArgumentError */
export function parseLevels(value: string): Readonly<Record<string, readonly string[]>> {
  const levels = new Map<string, string[]>();
  for (const word of parseNames(value)) {
    const [, name, level] = /^([^=]+)=([^=]+)$/.exec(word) ?? [];
    if (name === undefined || level === undefined)
      throw new InvalidArgumentError('must be names and levels, such as location=city');
    levels.set(name, [...(levels.get(name) ?? []), level]);
  }
  return Object.fromEntries(levels);
}

/** For an option that can be given several times. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
