import type { RevocationOptions, SuspensionOptions, SuspensionTarget } from '@behalf/authority/consent';
import { badUserInput } from './errors.js';
import { readDateTime } from './scalars.js';
import { isId, isUnstorable } from './texts.js';
import { type ConsentContext, isAdministrator, requestOf } from './context.js';

const MAX_REASON_LENGTH = 500;
/** RFC 6749 section 3.3. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;

/** @throws GraphQLError `BAD_USER_INPUT` */
export function optionsOf(context: ConsentContext, reason: string | null | undefined): RevocationOptions {
  const { delegation } = context;
  if (delegation === undefined) throw new TypeError('The rules let through a caller without a delegation');
  return {
    by: delegation.subject,
    initiator: isAdministrator(context) ? 'admin' : 'user',
    reason: checkedReason(reason ?? undefined),
    request: requestOf(context),
  };
}

/** Suspending, resuming and exporting need a reason. @throws GraphQLError `BAD_USER_INPUT` when it is empty */
export function stopOptionsOf(context: ConsentContext, reason: string): SuspensionOptions {
  const { by, request } = optionsOf(context, reason);
  if (reason.trim() === '') throw badUserInput('"reason" must say something');
  return { by, reason, request };
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export function checkedReason(reason: string | undefined): string | undefined {
  if ((reason?.length ?? 0) > MAX_REASON_LENGTH) {
    throw badUserInput(`"reason" must have at most ${MAX_REASON_LENGTH} characters`);
  }
  if (isUnstorable(reason ?? '')) throw badUserInput('"reason" must have no control characters');
  return reason;
}

/** The reason for looking for somebody's records. @throws GraphQLError `BAD_USER_INPUT` when it is missing or empty */
export function needReason(reason: string | null | undefined): string {
  const checked = checkedReason(reason ?? undefined);
  if (checked === undefined || checked.trim() === '')
    throw badUserInput('looking for one person needs a "reason"');
  return checked;
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export function needTime(name: string, text: string): Date {
  const time = readDateTime(text);
  if (time === undefined) throw badUserInput(`"${name}" is not a time of the form YYYY-MM-DDThh:mm:ssZ`);
  return time;
}

/** @throws GraphQLError `BAD_USER_INPUT` */
export function needId(name: string, value: string): string {
  if (isId(value)) return value;
  throw badUserInput(`"${name}" is not an identifier`);
}

export function mayNeedId(name: string, value: string | null | undefined): string | undefined {
  return value === undefined || value === null ? undefined : needId(name, value);
}

/** The input type of the schema. */
export interface StopTarget {
  readonly clientId?: string | null;
  readonly scope?: string | null;
  readonly everything?: boolean | null;
}

/** Accepts exactly one member: the target must never be guessed. @throws GraphQLError `BAD_USER_INPUT` */
export function targetOf({ clientId, scope, everything }: StopTarget): SuspensionTarget {
  const named = [clientId, scope, everything].filter((member) => member !== undefined && member !== null);
  if (named.length !== 1 || everything === false) {
    throw badUserInput('"target" must have exactly one of "clientId", "scope" and "everything: true"');
  }
  if (everything === true) return { kind: 'everything' };
  if (typeof clientId === 'string') return { kind: 'client', clientId: needId('clientId', clientId) };
  if (typeof scope === 'string' && SCOPE_TOKEN.test(scope)) return { kind: 'scope', scope };
  throw badUserInput('"scope" is not the name of a scope');
}
