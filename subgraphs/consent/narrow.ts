import type { Narrowing } from '@behalf/authority/consent';
import type { ConsentLevels } from '@behalf/directives';
import { readLevels, withoutUndefined } from '@behalf/directives/internal';
import { badUserInput } from './errors.js';
import { type ConsentContext, requestOf } from './context.js';
import { checkedReason, needId, needTime } from './input.js';
import { MAX_WAIT_MS, type Waiting } from './mutations.js';

const MAX_NAMES = 100;
const MAX_NAME_LENGTH = 200;

interface NarrowArguments extends Waiting {
  readonly id: string;
  readonly removeScopes?: readonly string[] | null;
  readonly removePurposes?: readonly string[] | null;
  readonly until?: string | null;
  readonly detail?: Narrowing['detail'] | null;
  readonly levels?: readonly { readonly of: string; readonly levels: readonly string[] }[] | null;
  readonly reason?: string | null;
}

/** @throws GraphQLError `BAD_USER_INPUT` when it would widen the consent, or leave nothing of it */
export async function narrowConsent(
  _root: unknown,
  { id, removeScopes, removePurposes, until, detail, levels, reason, waitFor }: NarrowArguments,
  context: ConsentContext,
) {
  const { acknowledgements, register, delegation } = context;
  if (delegation === undefined) throw new TypeError('The rules let through a caller without a delegation');
  const narrowing: Narrowing = withoutUndefined({
    by: delegation.subject,
    request: requestOf(context),
    removeScopes: needNames('removeScopes', removeScopes),
    removePurposes: needNames('removePurposes', removePurposes),
    reason: checkedReason(reason ?? undefined),
    until: until === undefined || until === null ? undefined : needTime('until', until),
    detail: detail ?? undefined,
    levels: levels === undefined || levels === null ? undefined : needLevels(levels),
  });
  try {
    const { consent, replaced, change } = await register.narrow(needId('id', id), narrowing);
    const inForce =
      waitFor === 'ALL_GATEWAYS' && change !== undefined
        ? await acknowledgements.inForce(change, MAX_WAIT_MS)
        : null;
    return { consent: consent ?? null, replaced: replaced ?? null, change: change?.seq ?? null, inForce };
  } catch (error) {
    if (error instanceof RangeError) throw badUserInput(error.message);
    throw error;
  }
}

/** Checks names of scopes or purposes. @throws GraphQLError `BAD_USER_INPUT` */
function needNames(name: string, values: readonly string[] | null | undefined): readonly string[] {
  const names = values ?? [];
  if (names.length > MAX_NAMES || names.some((value) => value.length > MAX_NAME_LENGTH)) {
    throw badUserInput(`"${name}" has too many names, or too long ones`);
  }
  return names;
}

/** Checks levels of detail as a token's are checked. @throws GraphQLError `BAD_USER_INPUT` */
function needLevels(given: NonNullable<NarrowArguments['levels']>): ConsentLevels {
  const names = new Set(given.map(({ of }) => of));
  const read = readLevels(Object.fromEntries(given.map(({ of, levels }) => [of, levels])));
  if (read === undefined || names.size < given.length) {
    throw badUserInput(
      '"levels" must name each kind of data once, with 1 to 16 levels, and at most 64 kinds',
    );
  }
  return read;
}
