import type { AuditEntry } from './record.js';

/**
 * The record of a text. Anybody may have written a file, and whoever has a writer's password may append any JSON object to the
 * log, so a text need not be a record.
 *
 * @returns undefined if it is none
 */
export function readEntry(text: string): AuditEntry | undefined {
  const value = parsed(text);
  return isEntry(value) ? value : undefined;
}

/** The record of a stored text, or an event that says that there is none. A time that is none is that of recording. */
export function readStoredEntry(text: string, recordedAt: Date): AuditEntry {
  const time = Number(recordedAt);
  const value = parsed(text);
  const timed = isRecord(value) && !isTime(value.time) ? { ...value, time } : value;
  return isEntry(timed) ? timed : { event: 'record-unreadable', transactionId: '', time, caller: {} };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => value === undefined || typeof value === 'string';
const isTexts = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.every((each) => typeof each === 'string'));

/** Whether it has what is shown of a record, in the right types. */
function isEntry(value: unknown): value is AuditEntry {
  if (!isRecord(value) || typeof value.transactionId !== 'string' || !isTime(value.time)) return false;
  const { details, mutates, operationName, operator, reason, source, subjects, traceId, unaccounted } = value;
  if (![operationName, operator, reason, source, traceId].every(isText)) return false;
  if (![mutates, subjects, unaccounted].every(isTexts)) return false;
  if (!isCaller(value.caller) || !isDetails(details)) return false;
  if (typeof value.event === 'string') return true;
  return typeof value.outcome === 'string' && Array.isArray(value.fields) && value.fields.every(isAccess);
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(new Date(value).getTime());
}

function isCaller(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { actor, clientId, consentId, purposes, subjectPseudonym } = value;
  return [actor, clientId, consentId, subjectPseudonym].every(isText) && isTexts(purposes);
}

function isDetails(value: unknown): boolean {
  if (value === undefined) return true;
  return isRecord(value) && Object.values(value).every((each) => typeof each !== 'object' || isTexts(each));
}

function isAccess(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { coordinate, decision, level, rule, strategy, subgraph } = value;
  const texts = [level, rule, strategy, subgraph];
  return typeof coordinate === 'string' && typeof decision === 'string' && texts.every(isText);
}
