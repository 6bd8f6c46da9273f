import { toOcsf } from '@behalf/audit';
import type { AuditCaller, AuditedAccess, AuditEvent, AuditRecord, LoggedEntry } from '@behalf/audit';
import { printable } from '@behalf/gateway/printable';
import { printedTime } from '../printed-time.js';

/** Bounded here as well: an earlier version may have written longer texts. */
const MAX_TEXT_LENGTH = 200;
const MAX_COLUMN_WIDTH = 60;
const MAX_LINES = 1_000;
const MAX_NAMED = 10;

/** For people, or for programs: as it is stored, or as OCSF API Activity. */
export type AuditFormat = 'human' | 'json' | 'ocsf';

/** A record in a format, without what could act on a terminal. */
export function formatRecord(entry: LoggedEntry, format: AuditFormat): string {
  if (format === 'human') return describeRecord(entry);
  return printable(recordLine(entry, format));
}

/** A record as a line of a file. */
export function recordLine(entry: LoggedEntry, format: Exclude<AuditFormat, 'human'>): string {
  return JSON.stringify(format === 'ocsf' ? toOcsf(entry) : entry);
}

/** One record as lines for people. Clients and subgraphs wrote its texts, so they are escaped. */
export function describeRecord(stored: LoggedEntry): string {
  const { record } = stored;
  return 'event' in record ? describeEvent(stored, record) : describeRequest(placeOf(stored), record);
}

function placeOf({ seq, occurredAt, record }: LoggedEntry): string {
  const time = text(printedTime(occurredAt ?? record.time));
  return seq === undefined ? time : `#${seq}  ${time}`;
}

function describeEvent(stored: LoggedEntry, event: AuditEvent): string {
  const { caller, details = {}, operator, reason, subjects = [] } = event;
  const who = operator === undefined ? whoOf(caller) : text(operator);
  const others = subjects.filter((name) => name !== caller.subjectPseudonym);
  return [
    [placeOf(stored), text(event.event), ...(who === undefined ? [] : [`by ${who}`])].join('  '),
    // It waited for the log, which has the time at which it was stored.
    ...(stored.isClockOff === true ? [`    happened at ${timeOf(event.time)}`] : []),
    ...(reason === undefined ? [] : [`    ${text(reason)}`]),
    ...(others.length === 0 ? [] : [`    about ${others.slice(0, MAX_NAMED).map(shortName).join(', ')}`]),
    ...Object.entries(details).map(([name, value]) => `    ${text(name)}: ${detailOf(name, value)}`),
  ].join('\n');
}

function whoOf({ clientId, service, subjectPseudonym }: AuditCaller): string | undefined {
  const client = clientId === undefined ? undefined : text(clientId);
  if (service === true || subjectPseudonym === undefined) return client;
  const person = `subject ${shortName(subjectPseudonym)}`;
  return client === undefined ? person : `${client} for ${person}`;
}

/** Details that are milliseconds since the epoch. */
const TIMES: ReadonlySet<string> = new Set(['before', 'from', 'since', 'until']);

function detailOf(name: string, value: NonNullable<AuditEvent['details']>[string]): string {
  if (typeof value === 'number' && TIMES.has(name)) return timeOf(value);
  if (typeof value !== 'object') return text(String(value));
  const named = value.slice(0, MAX_NAMED).map(text);
  return [...named, ...(value.length > named.length ? ['more'] : [])].join(', ');
}

function timeOf(ms: number): string {
  return text(printedTime(ms));
}

function shortName(pseudonym: string): string {
  return `${text(pseudonym.slice(0, 12))}…`;
}

function describeRequest(at: string, record: AuditRecord): string {
  const head = [
    at,
    text(record.outcome) + (record.reason === undefined ? '' : ` (${text(record.reason)})`),
    text(record.operationName ?? '(unnamed operation)'),
    callerOf(record.caller),
  ].join('  ');
  const listed = record.fields.slice(0, MAX_LINES);
  const width = Math.min(
    MAX_COLUMN_WIDTH,
    Math.max(0, ...listed.map(({ coordinate }) => text(coordinate).length)),
  );
  const more = record.fields.length - listed.length;
  return [
    head,
    ...mutatesLine(record),
    ...listed.map((access) => accessLine(access, width)),
    ...(more === 0 ? [] : [`    … and ${more} more`]),
    ...subjectsLine(record),
    ...(record.unaccounted ?? []).map((subgraph) => `    NO COMPLETE ACCOUNT from ${text(subgraph)}`),
  ].join('\n');
}

/** What a mutation is about to do: no field has been resolved then. */
function mutatesLine({ mutates = [] }: AuditRecord): string[] {
  if (mutates.length === 0) return [];
  const named = mutates.slice(0, MAX_LINES).map(text);
  return [`    about to run ${[...named, ...(mutates.length > named.length ? ['more'] : [])].join(', ')}`];
}

function callerOf(caller: AuditCaller): string {
  if (caller.clientId === undefined) return 'without a valid token';
  const subject = caller.subjectPseudonym?.slice(0, 12) ?? '?';
  const purposes = (caller.purposes ?? []).map(text).join(', ');
  const consent =
    caller.consentId === undefined
      ? ''
      : `, consent ${text(caller.consentId)} v${caller.consentVersion ?? '?'} (${purposes})`;
  return `${text(caller.clientId)} for subject ${text(subject)}…${consent}`;
}

function subjectsLine({ caller, moreSubjects, subjects = [] }: AuditRecord): string[] {
  const others = subjects.filter((name) => name !== caller.subjectPseudonym);
  if (others.length === 0 && moreSubjects !== true) return [];
  const named = others.slice(0, MAX_NAMED).map(shortName);
  const isAll = others.length === named.length && moreSubjects !== true;
  return [`    rows of ${[...named, ...(isAll ? [] : ['more'])].join(', ')}`];
}

function accessLine(access: AuditedAccess, width: number): string {
  const { coordinate, decision, count, strategy, level, rule, subgraph } = access;
  const done = [decision, strategy, level === undefined ? undefined : `at ${level}`];
  return [
    `    ${text(coordinate).padEnd(width)}`,
    (count === undefined ? '' : `${text(String(count))}×`).padStart(5),
    done
      .flatMap((word) => (word === undefined ? [] : text(word)))
      .join(' ')
      .padEnd(20),
    text(subgraph ?? 'gateway').padEnd(10),
    text(rule ?? ''),
  ]
    .join('  ')
    .trimEnd();
}

function text(value: string): string {
  return printable(value, MAX_TEXT_LENGTH);
}
